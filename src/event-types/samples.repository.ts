import { Injectable } from '@nestjs/common';
import type { Filter, FilterField } from '../platform/filters/filter.js';
import type { Cursor } from '../platform/paging/cursor.js';
import { CopiedEventsRepository } from '../questions/copied-events.repository.js';
import { EventQuestions } from '../questions/event-questions.js';
import type { ApplicationTypeKey } from './event-types.repository.js';

/** The payload of a stored event, to try a schema on. */
export interface Sample {
  readonly id: string;
  readonly data: Record<string, unknown>;
}

/** Events that are read at once; at their largest they are 13 MB. */
const CHUNK_SIZE = 200;

/** Reads the payloads of stored events of a type. */
@Injectable()
export class SamplesRepository {
  constructor(
    private readonly events: CopiedEventsRepository,
    private readonly questions: EventQuestions,
  ) {}

  /**
   * Yields the newest events of a type of an application by their timestamps, at most `limit`, of all that are stored now.
   * @throws ClickHouseUnavailableError, QuestionTooLargeError, DatabaseUnavailableError
   */
  async *newest(type: ApplicationTypeKey, limit: number): AsyncGenerator<Sample> {
    await this.questions.caughtUp();
    const query = { filter: filterFor(type) };
    let cursor: Cursor | undefined;
    for (let left = limit; left > 0;) {
      const slice = { newestFirst: true, limit: Math.min(left, CHUNK_SIZE), cursor };
      const { rows, isCut } = await this.events.find(query, slice);
      for (const { id, data } of rows) yield { id, data: JSON.parse(data) as Record<string, unknown> };
      const last = rows.at(-1);
      if (!last || (rows.length < slice.limit && !isCut)) return;
      cursor = { direction: 'next', timestamp: last.timestamp, id: last.id };
      left -= rows.length;
    }
  }
}

function filterFor({ application, category, name }: ApplicationTypeKey): Filter {
  const equals = (field: FilterField, value: string): Filter => ({
    kind: 'in',
    property: { kind: 'field', field },
    values: [value],
  });
  return {
    kind: 'all',
    filters: [equals('application', application), equals('category', category), equals('name', name)],
  };
}
