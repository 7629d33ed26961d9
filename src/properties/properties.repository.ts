import { Injectable } from '@nestjs/common';
import { columnOf, isPlainPath, SqlParameters } from '../platform/filters/filter-sql.js';
import { countEvents } from '../questions/event-counts.js';
import { EventQuestions, type EventScope, scopeSql } from '../questions/event-questions.js';

/** Columns that one statement counts at most; with more, and with keys that cannot be columns, every path is counted by its text. */
const MAX_COLUMNS = 300;

/** Characters of the conditions on these columns, each of which stands in a statement twice. ClickHouse takes 256 KiB. */
const MAX_CONDITIONS_LENGTH = 100_000;

/** How to distinguish the types of a value, by a type of the column that stands for the type of the value. */
const TESTS: Readonly<Record<string, (column: string) => string>> = {
  String: (column) => `isNotNull(${column}.:\`String\`)`,
  Float64: (column) =>
    `(isNotNull(${column}.:\`Float64\`) OR isNotNull(${column}.:\`Int64\`) OR isNotNull(${column}.:\`UInt64\`))`,
  Bool: (column) => `isNotNull(${column}.:\`Bool\`)`,
  Array: (column) => `startsWith(dynamicType(${column}), 'Array')`,
};

/** The type that stands for others in TESTS; undefined for one that has no test. */
function testedType(columnType: string): string | undefined {
  if (columnType === 'Int64' || columnType === 'UInt64') return 'Float64';
  const type = columnType.replace(/^Array\(.*/, 'Array');
  return Object.hasOwn(TESTS, type) ? type : undefined;
}

/** A path with one type, as a condition on events. */
interface TypedPath {
  readonly path: string;
  readonly type: string;
  readonly condition: string;
}

/** A path of the JSON column in the events of a scope. Counts are texts, as ClickHouse sends integers of 64 bits. */
export interface PathRow {
  readonly path: string;
  readonly events: string;
  /** Paths of the scope, including those that the limit cuts off. */
  readonly paths: string;
  /** Type of the column, number of events, and timestamp and id of the newest of them. */
  readonly types: readonly (readonly [type: string, events: string, timestamp: string, id: string])[];
}

@Injectable()
export class PropertiesRepository {
  constructor(private readonly questions: EventQuestions) {}

  count(scope: EventScope): Promise<number> {
    return countEvents(this.questions, scope);
  }

  /**
   * The paths of the payloads, the most frequent ones first.
   * @param begins only paths that begin with this text
   */
  async paths(scope: EventScope, begins: string, limit: number): Promise<PathRow[]> {
    const typed = await this.typedPaths(scope, begins);
    return typed ? this.countColumns(scope, typed, limit) : this.countTexts(scope, begins, limit);
  }

  /** @returns undefined if they cannot be counted by their columns */
  private async typedPaths(scope: EventScope, begins: string): Promise<TypedPath[] | undefined> {
    const parameters = new SqlParameters();
    const [row] = await this.questions.query<{ paths: Record<string, string[]> }>(
      'paths',
      `SELECT distinctJSONPathsAndTypes(data) AS paths FROM events WHERE ${scopeSql(scope, parameters)}`,
      parameters,
    );
    const typed: TypedPath[] = [];
    for (const [path, columnTypes] of Object.entries(row?.paths ?? {})) {
      if (!path.startsWith(begins)) continue;
      const keys = path.split('.');
      const types = new Set(columnTypes.map(testedType));
      if (!isPlainPath(keys) || types.has(undefined)) return undefined;
      for (const type of types as Set<string>) {
        const condition = (TESTS[type] as (column: string) => string)(columnOf(keys));
        typed.push({ path, type, condition });
      }
    }
    const length = typed.reduce((sum, { condition }) => sum + condition.length, 0);
    return typed.length > MAX_COLUMNS || length > MAX_CONDITIONS_LENGTH ? undefined : typed;
  }

  /** Reads only the columns of the paths, which takes a tenth of the time of `countTexts()`. */
  private async countColumns(
    scope: EventScope,
    typed: readonly TypedPath[],
    limit: number,
  ): Promise<PathRow[]> {
    if (typed.length === 0) return [];
    const parameters = new SqlParameters();
    const counted = typed.map(
      ({ condition }, index) =>
        `countIf(${condition}) AS n${index}, maxIf(timestamp, ${condition}) AS t${index}`,
    );
    const [counts = {}] = await this.questions.query<Record<string, string>>(
      'properties',
      `SELECT ${counted.join(', ')} FROM events WHERE ${scopeSql(scope, parameters)}`,
      parameters,
    );
    const found = typed
      .map((one, index) => ({
        ...one,
        events: counts[`n${index}`] ?? '0',
        timestamp: counts[`t${index}`] ?? '0',
      }))
      .filter(({ events }) => events !== '0');
    const paths = [...new Set(found.map(({ path }) => path))];
    const largest = paths
      .map((path) => {
        const types = found.filter((one) => one.path === path);
        return { path, types, events: types.reduce((sum, { events }) => sum + Number(events), 0) };
      })
      .sort((a, b) => b.events - a.events || (a.path < b.path ? -1 : 1))
      .slice(0, limit);
    const ids = await this.newestIds(
      scope,
      largest.flatMap(({ types }) => types),
    );
    let next = 0;
    return largest.map(({ path, types, events }) => ({
      path,
      events: String(events),
      paths: String(paths.length),
      types: types.map(
        ({ type, events: number, timestamp }) => [type, number, timestamp, ids[next++] ?? ''] as const,
      ),
    }));
  }

  /** Of each typed path, an event with its newest timestamp. */
  private async newestIds(
    scope: EventScope,
    typed: readonly (TypedPath & { readonly timestamp: string })[],
  ): Promise<string[]> {
    const parameters = new SqlParameters();
    const ids = typed.map(
      ({ condition, timestamp }, index) =>
        `maxIf(id, timestamp = ${parameters.add(timestamp, 'Int64')} AND ${condition}) AS i${index}`,
    );
    const timestamps = [...new Set(typed.map(({ timestamp }) => timestamp))].map(BigInt);
    const [row = {}] = await this.questions.query<Record<string, string>>(
      'newest events',
      `SELECT ${ids.join(', ')} FROM events
       WHERE ${scopeSql(scope, parameters)} AND timestamp IN ${parameters.add(timestamps, 'Array(Int64)')}`,
      parameters,
    );
    return typed.map((_, index) => row[`i${index}`] ?? '');
  }

  /** Parses what each event has: for any keys, and any number of them. */
  private countTexts(scope: EventScope, begins: string, limit: number): Promise<PathRow[]> {
    const parameters = new SqlParameters();
    const events = scopeSql(scope, parameters);
    const prefix = begins === '' ? '1' : `startsWith(path, ${parameters.text(begins)})`;
    const sql = `
      SELECT path, sum(number) AS events, count() OVER () AS paths, groupArray((type, number, newest.1, newest.2)) AS types
      FROM (
        SELECT entry.1 AS path, entry.2 AS type, count() AS number, max((timestamp, id)) AS newest
        FROM (SELECT timestamp, id, arrayJoin(JSONAllPathsWithTypes(data)) AS entry FROM events WHERE ${events})
        WHERE ${prefix}
        GROUP BY path, type
      )
      GROUP BY path
      ORDER BY events DESC, path
      LIMIT ${parameters.add(limit, 'UInt32')}`;
    return this.questions.query<PathRow>('properties', sql, parameters);
  }

  /** Payloads by the keys of their events: `timestamp/id`. */
  async payloads(keys: readonly { timestamp: string; id: string }[]): Promise<Map<string, unknown>> {
    if (keys.length === 0) return new Map();
    const parameters = new SqlParameters();
    const timestamps = parameters.add(
      [...new Set(keys.map(({ timestamp }) => timestamp))].map(BigInt),
      'Array(Int64)',
    );
    const ids = parameters.add([...new Set(keys.map(({ id }) => id))], 'Array(UUID)');
    const rows = await this.questions.query<{ timestamp: string; id: string; data_text: string }>(
      'payloads',
      `SELECT timestamp, id, data_text FROM events WHERE timestamp IN ${timestamps} AND id IN ${ids}`,
      parameters,
    );
    return new Map(rows.map(({ timestamp, id, data_text }) => [`${timestamp}/${id}`, JSON.parse(data_text)]));
  }
}
