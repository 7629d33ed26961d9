import { Injectable } from '@nestjs/common';
import { SqlParameters } from '../../platform/filters/filter-sql.js';
import {
  COUNTED_PERIODS,
  COUNTED_FIELDS,
  type CountedField,
  countsSql,
} from '../../questions/event-counts.js';
import { EventQuestions, type EventScope } from '../../questions/event-questions.js';

/**
 * What each list is grouped by, and its number from `grouping()`: a bit for each field, in their order, which
 * is set if the field is not one of them.
 */
const LISTS = {
  applications: { fields: ['application'], grouping: 0b011 },
  categories: { fields: ['category'], grouping: 0b101 },
  names: { fields: ['name'], grouping: 0b110 },
  types: { fields: ['category', 'name'], grouping: 0b100 },
} as const;
const EVERYTHING = 0b111;

/** The fields of a list, and a number of events. */
type GroupCount<Own extends CountedField> = Record<Own, string> & { count: number };

/** Largest first, those of the same size by their texts. */
export interface Rankings {
  readonly total: number;
  readonly applications: GroupCount<'application'>[];
  readonly categories: GroupCount<'category'>[];
  readonly names: GroupCount<'name'>[];
  readonly types: GroupCount<'category' | 'name'>[];
}

type Row = Readonly<Record<CountedField, string>> & { readonly list: number; readonly events: string };

/** Ranks applications, categories, names and types. */
@Injectable()
export class TopRepository {
  constructor(private readonly questions: EventQuestions) {}

  /** @throws ClickHouseUnavailableError, QuestionTooLargeError */
  async largest(scope: EventScope, limit: number): Promise<Rankings> {
    const parameters = new SqlParameters();
    const counts = countsSql(scope, parameters, COUNTED_PERIODS, () => COUNTED_FIELDS);
    const fields = COUNTED_FIELDS.join(', ');
    const sets = Object.values(LISTS).map((list) => `(${list.fields.join(', ')})`);
    const rows = await this.questions.query<Row>(
      'top',
      `SELECT toUInt8(grouping(${fields})) AS list, ${fields}, sum(n) AS events
       FROM (${counts})
       GROUP BY GROUPING SETS (${sets.join(', ')}, ())
       ORDER BY list, events DESC, ${fields}
       LIMIT ${parameters.add(limit, 'UInt32')} BY list`,
      parameters,
    );
    const listed = <Own extends CountedField>(list: {
      readonly fields: readonly Own[];
      readonly grouping: number;
    }): GroupCount<Own>[] =>
      rows
        .filter((row) => row.list === list.grouping)
        .map((row) => ({
          ...(Object.fromEntries(list.fields.map((field) => [field, row[field]])) as Record<Own, string>),
          count: Number(row.events),
        }));
    return {
      total: Number(rows.find(({ list }) => list === EVERYTHING)?.events ?? 0),
      applications: listed(LISTS.applications),
      categories: listed(LISTS.categories),
      names: listed(LISTS.names),
      types: listed(LISTS.types),
    };
  }
}
