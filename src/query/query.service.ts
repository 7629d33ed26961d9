import { Injectable } from '@nestjs/common';
import { forbidden } from '../auth/auth-errors.js';
import { InvalidFieldsError } from '../platform/errors/domain-error.js';
import { EventQuestions } from '../questions/event-questions.js';
import { type Answer, parseAnswer } from './answer.js';
import type { QueryDto } from './dto/query.dto.js';
import { eventColumns } from './event-columns.js';
import { QueryRepository } from './query.repository.js';
import { checkCanonicalText, type Placeholder } from './sandbox/canonical-text.js';
import { checkTree } from './sandbox/check-tree.js';
import { NotPermittedError } from './sandbox/not-permitted.js';

/** Rows of an answer. */
const MAX_ROWS = 10_000;

/** Runs SQL of callers over the events that they may see. */
@Injectable()
export class QueryService {
  constructor(
    private readonly questions: EventQuestions,
    private readonly queries: QueryRepository,
  ) {}

  /**
   * @param visible the only application whose events may be seen; undefined for all
   * @throws InvalidFieldsError, ClickHouseUnavailableError, QuestionTooLargeError, DatabaseUnavailableError
   */
  async run({ sql, parameters = {}, application }: QueryDto, visible: string | undefined): Promise<Answer> {
    if (visible !== undefined && application !== undefined && application !== visible) throw forbidden();
    const as_of = await this.questions.asOf();
    const statement = await this.queries.format(sql);
    const placeholders = permitted(() => checkCanonicalText(statement));
    requireValues(placeholders, parameters);
    const tree = await this.queries.syntaxTree(statement, parameters);
    permitted(() => checkTree(tree));
    const answer = await this.queries.run(statement, {
      columns: eventColumns(tree),
      application: visible ?? application,
      parameters,
      maxRows: MAX_ROWS + 1,
    });
    return parseAnswer(answer, { maxRows: MAX_ROWS, as_of, showsRowsRead: visible === undefined });
  }
}

/** @throws InvalidFieldsError in the place of NotPermittedError */
function permitted<Result>(check: () => Result): Result {
  try {
    return check();
  } catch (error) {
    if (error instanceof NotPermittedError) throw new InvalidFieldsError({ sql: [error.message] });
    throw error;
  }
}

/** @throws InvalidFieldsError */
function requireValues(placeholders: readonly Placeholder[], parameters: object): void {
  for (const { name, type } of placeholders)
    if (!Object.hasOwn(parameters, name))
      throw new InvalidFieldsError({ parameters: [`The placeholder {${name}:${type}} needs a value.`] });
}
