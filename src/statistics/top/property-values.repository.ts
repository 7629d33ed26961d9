import { Injectable } from '@nestjs/common';
import { EVERYTHING, type Filter, type Property, type Value } from '../../platform/filters/filter.js';
import { SqlParameters, valueSql } from '../../platform/filters/filter-sql.js';
import { countEvents } from '../../questions/event-counts.js';
import { EventQuestions, type EventScope, scopeSql } from '../../questions/event-questions.js';

/** A value with a count. */
interface ValueRow {
  readonly text: string | null;
  readonly number: number | null;
  readonly flag: boolean | null;
}

interface LargestRow extends ValueRow {
  readonly events: string;
  readonly total: string;
  readonly groups: string;
}

export interface LargestValues {
  readonly values: readonly { readonly value: Value; readonly events: number }[];
  /** Events with a value, and different values. */
  readonly total: number;
  readonly groups: number;
}

@Injectable()
export class PropertyValuesRepository {
  constructor(private readonly questions: EventQuestions) {}

  async largest(scope: EventScope, property: Property, limit: number): Promise<LargestValues> {
    const parameters = new SqlParameters();
    const grouped = groupedSql(scope, property, parameters, 'count() AS number_of_events');
    const rows = await this.questions.query<LargestRow>(
      'largest values',
      `SELECT text, number, flag, number_of_events AS events, sum(number_of_events) OVER () AS total, count() OVER () AS groups
       FROM (${grouped})
       ORDER BY number_of_events DESC, text, number, flag
       LIMIT ${parameters.add(limit, 'UInt32')}`,
      parameters,
    );
    return {
      values: rows.map((row) => ({ value: valueOf(row), events: Number(row.events) })),
      total: Number(rows[0]?.total ?? 0),
      groups: Number(rows[0]?.groups ?? 0),
    };
  }

  /** Matching events, with and without a value. */
  total(scope: EventScope): Promise<number> {
    return countEvents(this.questions, scope);
  }

  /** Different sessions by value. */
  sessions(scope: EventScope, property: Property, values: readonly Value[]): Promise<Map<Value, number>> {
    return this.measure(scope, property, values, 'uniqExact(session_id)');
  }

  /** Events by value. */
  events(scope: EventScope, property: Property, values: readonly Value[]): Promise<Map<Value, number>> {
    return this.measure(scope, property, values, 'count()');
  }

  private async measure(
    scope: EventScope,
    property: Property,
    values: readonly Value[],
    measure: string,
  ): Promise<Map<Value, number>> {
    if (values.length === 0) return new Map();
    const parameters = new SqlParameters();
    const sql = groupedSql(scope, property, parameters, `${measure} AS measure`, values);
    const rows = await this.questions.query<ValueRow & { measure: string }>(
      'measure of values',
      sql,
      parameters,
    );
    return new Map(rows.map((row) => [valueOf(row), Number(row.measure)]));
  }
}

/**
 * Groups the events that have a value by it: by texts, then by numbers and flags, because ClickHouse groups by one column
 * twice as fast as by three.
 * @param values at least one; all by default
 */
function groupedSql(
  scope: EventScope,
  property: Property,
  parameters: SqlParameters,
  measure: string,
  values?: readonly Value[],
): string {
  const { text, number, flag } = valueSql(property, parameters);
  const texts = values?.filter((value) => typeof value === 'string');
  const others = values?.filter((value) => typeof value !== 'string');
  const groups: string[] = [];
  if (texts?.length !== 0) {
    const isGiven = texts ? `${text} IN ${parameters.add(texts, 'Array(String)')}` : `isNotNull(${text})`;
    groups.push(`SELECT ${text} AS text, CAST(NULL, 'Nullable(Float64)') AS number, CAST(NULL, 'Nullable(Bool)') AS flag, ${measure}
      FROM events WHERE ${scopeSql(scope, parameters)} AND ${isGiven} GROUP BY text`);
  }
  if (property.kind === 'data' && others?.length !== 0) {
    const isGiven: Filter = others ? { kind: 'in', property, values: others } : EVERYTHING;
    const filter: Filter = { kind: 'all', filters: [scope.filter, isGiven] };
    groups.push(`SELECT CAST(NULL, 'Nullable(String)') AS text, ${number} AS number, ${flag} AS flag, ${measure}
      FROM events WHERE ${scopeSql({ ...scope, filter }, parameters)} AND (isNotNull(number) OR isNotNull(flag)) GROUP BY number, flag`);
  }
  return groups.join(' UNION ALL ');
}

function valueOf({ text, number, flag }: ValueRow): Value {
  return text ?? number ?? flag ?? '';
}
