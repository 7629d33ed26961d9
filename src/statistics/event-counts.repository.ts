import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { Database } from '../database/database.js';
import { DatabaseUnavailableError } from '../database/database-errors.js';
import { query } from '../database/query.js';
import { ALWAYS, type Block, cutAt, type Edge, isMinute, type Reading, Readings } from './cuts.js';

/** What events are counted by. */
export const GROUPS = {
  category: ['category'],
  name: ['name'],
  application: ['application'],
  type: ['category', 'name'],
} as const;
export type GroupBy = keyof typeof GROUPS;

/** What the events of a group have in common; of a type, its category and name. */
export interface Group {
  application?: string;
  category?: string;
  name?: string;
}

/** Which events are counted. */
export type CountFilter = Group;

export interface GroupCount extends Group {
  count: number;
}

/** The largest of the groups that there are. */
export interface Largest {
  /** Events in all groups, and how many groups these are. */
  total: number;
  groups: number;
  /** Largest first, those of the same size by their texts. */
  largest: GroupCount[];
}

/** Counts of one group, or of all events, in each interval between neighbouring instants. */
export interface Series extends Group {
  counts: number[];
}

type Column = keyof Group;
const COLUMNS: readonly Column[] = ['application', 'category', 'name'];

/** Counts events, exactly, by what the database keeps of them (see the migration that creates event_counts). */
@Injectable()
export class EventCountsRepository {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly database: Database,
  ) {}

  /** How many events match, from one canonical timestamp to before another. */
  async count(filter: CountFilter, range = ALWAYS): Promise<number> {
    if (range.from >= range.to && range !== ALWAYS) return 0;
    const statement = new Statement(filter);
    const [row] = await this.query<{ count: string }>(
      `SELECT coalesce(sum(amount), 0)::bigint AS count FROM (${statement.ofRange(range, [])}) AS amounts`,
      statement.parameters,
    );
    return Number(row?.count ?? 0);
  }

  /** The largest groups of the events from one canonical timestamp to before another, of each way to group them. */
  async largest(
    range: typeof ALWAYS,
    filter: CountFilter,
    ways: readonly GroupBy[],
    limit: number,
  ): Promise<Largest[]> {
    const statement = new Statement(filter);
    const all = COLUMNS.filter((column) => ways.some((way) => isOf(way, column)));
    const amounts = statement.ofRange(range, all);
    const most = statement.parameter(limit);
    const lists = ways.map((by) => {
      const columns = GROUPS[by].join(', ');
      const selected = COLUMNS.map((column) => (isOf(by, column) ? column : `NULL AS ${column}`));
      return `(
        SELECT '${by}' AS by, ${selected.join(', ')}, sum(count)::bigint AS count,
          count(*) OVER () AS groups, sum(sum(count)) OVER () AS total
        FROM counted
        GROUP BY ${columns}
        HAVING sum(count) > 0
        ORDER BY count DESC, ${columns}
        LIMIT ${most}
      )`;
    });
    type Row = Record<Column, string | null> & { by: GroupBy; count: string; groups: string; total: string };
    // Whatever is told apart in several ways is read once.
    const rows = await this.query<Row>(
      `WITH counted AS MATERIALIZED (
         SELECT ${all.join(', ')}, sum(amount) AS count FROM (${amounts}) AS amounts GROUP BY ${all.join(', ')}
       )
       ${lists.join(' UNION ALL ')}`,
      statement.parameters,
    );
    return ways.map((way) => {
      const found = rows.filter(({ by }) => by === way);
      return {
        total: Number(found[0]?.total ?? 0),
        groups: Number(found[0]?.groups ?? 0),
        largest: found.map((row) => ({
          ...(Object.fromEntries(GROUPS[way].map((column) => [column, row[column]])) as Group),
          count: Number(row.count),
        })),
      };
    });
  }

  /**
   * Counts between each two neighbouring instants (canonical, ascending): of all events that match, then of each of the
   * given groups. One statement, so that all are of the same moment.
   */
  async series(
    instants: string[],
    filter: CountFilter,
    by?: GroupBy,
    groups: readonly Group[] = [],
  ): Promise<Series[]> {
    const statement = new Statement(filter);
    const told = by !== undefined && groups.length > 0 ? statement.told(GROUPS[by], groups) : undefined;
    const all: Series[] = [{}, ...groups].map((group) => ({ ...group, counts: [] }));
    // A time zone that is not whole minutes from UTC, as all were once, has buckets that no sums end with.
    if (!instants.slice(1, -1).every(isMinute)) {
      const rows = await this.query<CountRow>(statement.byEvents(instants, told), statement.parameters);
      for (const series of all) series.counts = new Array<number>(instants.length - 1).fill(0);
      for (const { place, interval, count } of rows) addTo(all[place], interval, count);
      return all;
    }

    const readings = new Readings(instants);
    const rows = await this.query<SumsRow | MinuteRow>(
      statement.bySums(readings, instants, told),
      statement.parameters,
    );
    const sums = all.map(() => new Float64Array(readings.size));
    for (const row of rows) if (row.sums !== null) addSums(sums[row.place], readings.rows[row.row], row.sums);
    for (const [place, series] of all.entries()) series.counts = countsOf(instants, readings, sums[place]);
    for (const row of rows)
      if (row.sums === null) addTo(all[row.place], intervalOf(row.minute, instants), row.count);
    return all;
  }

  private query<Row>(sql: string, parameters: unknown[]): Promise<Row[]> {
    // While what was stored before there were counts is being counted, they say too little.
    if (!this.database.isReady) return Promise.reject(new DatabaseUnavailableError());
    return query<Row>(this.dataSource.manager, sql, parameters);
  }
}

/** Events of an interval, in a place of a list of groups, from 1, or all that match, at 0. */
interface CountRow {
  place: number;
  interval: number;
  count: string;
}

/** The answers to a reading; null where there is nothing before an end. */
interface SumsRow {
  place: number;
  row: number;
  sums: (number | null)[];
}

/** What is in no sum, or too much in them. */
interface MinuteRow {
  place: number;
  /** In UTC, e.g. `2026-07-08T09:10`. */
  minute: string;
  count: string;
  sums: null;
}

function addTo(series: Series | undefined, interval: number, count: string): void {
  if (series) series.counts[interval] = (series.counts[interval] ?? 0) + Number(count);
}

/** Several rows add to a sum: one for each application. */
function addSums(sums = new Float64Array(), reading: Reading | undefined, found: (number | null)[]): void {
  for (let index = 0; index < found.length; index++) {
    const place = reading?.places[index] ?? 0;
    sums[place] = (sums[place] ?? 0) + (found[index] ?? 0);
  }
}

function countsOf(instants: readonly string[], readings: Readings, sums = new Float64Array()): number[] {
  const counts: number[] = [];
  let before = readings.before(0, sums);
  for (let index = 1; index < instants.length; index++) {
    const after = readings.before(index, sums);
    counts.push(after - before);
    before = after;
  }
  return counts;
}

/** The interval that a minute lies in; the first and the last one may begin and end within a minute. */
function intervalOf(minute: string, instants: readonly string[]): number {
  let [first, last] = [0, instants.length - 2];
  while (first < last) {
    const middle = Math.ceil((first + last) / 2);
    if ((instants[middle] ?? '').slice(0, minute.length) <= minute) first = middle;
    else last = middle - 1;
  }
  return first;
}

const isOf = (way: GroupBy, column: Column): boolean => (GROUPS[way] as readonly Column[]).includes(column);

/** Groups that are told apart: a table of their places and columns, and what rows of a group have in common with it. */
interface Told {
  columns: readonly Column[];
  table: string;
  matches: string;
}

/** All that matches, in place 0. */
const ALL: Told = { columns: [], table: '(VALUES (0)) AS told (place)', matches: '' };

/** A statement that counts by running sums, by changes that are not in them yet, and at its ends by the events. */
class Statement {
  readonly parameters: unknown[] = [];
  private readonly filtered: Column[];
  private readonly conditions: string;

  constructor(filter: CountFilter) {
    const given = Object.entries(filter).filter(([, value]) => value !== undefined) as [Column, string][];
    this.filtered = given.map(([column]) => column);
    this.conditions = given.map(([column, value]) => `AND ${column} = ${this.parameter(value)}`).join(' ');
  }

  parameter(value: unknown): string {
    this.parameters.push(value);
    return `$${this.parameters.length}`;
  }

  /** In places from 1. */
  told(columns: readonly Column[], groups: readonly Group[]): Told {
    const values = columns.map((column) => this.list('text', groups, (group) => group[column]));
    const names = columns.map((column) => `told_${column}`);
    return {
      columns,
      table: `unnest(${values.join(', ')}) WITH ORDINALITY AS told (${[...names, 'place'].join(', ')})`,
      matches: columns.map((column) => `AND ${column} = told_${column}`).join(' '),
    };
  }

  /** Amounts by columns, which add up to the events of a range. */
  ofRange({ from, to }: typeof ALWAYS, columns: readonly Column[]): string {
    const [first, last] = [cutAt(from), cutAt(to)];
    const rows = new Map<string, { block: Block; start: string; from?: string; to?: string }>();
    for (const [end, { sums }] of Object.entries({ from: first, to: last }))
      for (const { block, start, until } of sums)
        rows.set(block + start, { ...rows.get(block + start), block, start, [end]: until });
    const wanted = [...rows.values()].filter((row) => row.from !== row.to);
    const lists = [
      this.list('event_count_block', wanted, ({ block }) => block),
      this.list('timestamp', wanted, ({ start }) => start),
      this.list('timestamp', wanted, (row) => row.from),
      this.list('timestamp', wanted, (row) => row.to),
    ];
    const selected = columns.map((column) => `${column}, `).join('');
    const amounts = [
      `SELECT ${selected} coalesce(${sumBefore('until')}, 0) - coalesce(${sumBefore('since')}, 0) AS amount
       FROM unnest(${lists.join(', ')}) AS wanted (block, start, since, until), LATERAL (${this.row(columns)}) AS kept`,
      `SELECT ${selected} count
       FROM event_count_changes
       WHERE minute >= ${this.parameter(first.minute)} AND minute < ${this.parameter(last.minute)} ${this.conditions}`,
    ];
    if (first.edge) amounts.push(`SELECT ${selected} -1 FROM events WHERE ${this.within(first.edge)}`);
    if (last.edge) amounts.push(`SELECT ${selected} 1 FROM events WHERE ${this.within(last.edge)}`);
    return amounts.join(' UNION ALL ');
  }

  /** The sums of each row that is read, as an array, and by the minute what is not in them. */
  bySums({ rows }: Readings, instants: readonly string[], told?: Told): string {
    const lists = [
      this.list('event_count_block', rows, ({ block }) => block),
      this.list('timestamp', rows, ({ start }) => start),
      this.list('text', rows, ({ untils }) => `{${untils.join(',')}}`),
    ];
    const [first, last] = [cutAt(instants[0] ?? ''), cutAt(instants.at(-1) ?? '')];
    const [from, to] = [this.parameter(first.minute), this.parameter(last.minute)];
    const counted = (minute: string, count: string): string =>
      `place::int, NULL::int AS row, NULL::json AS sums, ${minute} AS minute, ${count}::bigint AS count`;
    const of = ({ columns, table, matches }: Told): string[] => {
      const edge = (end: Edge, count: string): string =>
        `SELECT ${counted(`${this.parameter(end.start.slice(0, 16))}::text`, count)}
         FROM events, ${table} WHERE ${this.within(end)} ${matches} GROUP BY place`;
      return [
        `SELECT place::int, row, to_json(ARRAY(SELECT ${sumBefore('until')} FROM unnest(untils) AS until)) AS sums,
           NULL::text AS minute, NULL::bigint AS count
         FROM wanted, ${table}, LATERAL (${this.row(columns, matches)}) AS kept`,
        `SELECT ${counted(`to_char(minute, 'YYYY-MM-DD"T"HH24:MI')`, 'sum(count)')}
         FROM event_count_changes, ${table}
         WHERE minute >= ${from} AND minute < ${to} ${matches} ${this.conditions}
         GROUP BY place, event_count_changes.minute`,
        ...(first.edge ? [edge(first.edge, '-count(*)')] : []),
        ...(last.edge ? [edge(last.edge, 'count(*)')] : []),
      ];
    };
    return `
      WITH wanted AS MATERIALIZED (
        SELECT block, start, untils::timestamp[] AS untils, (place - 1)::int AS row
        FROM unnest(${lists.join(', ')}) WITH ORDINALITY AS wanted (block, start, untils, place)
      )
      ${[ALL, ...(told ? [told] : [])].flatMap(of).join(' UNION ALL ')}`;
  }

  byEvents(instants: readonly string[], told?: Told): string {
    const times = this.list('timestamptz', instants, (instant) => instant);
    const of = ({ table, matches }: Told): string => `
      SELECT place::int, width_bucket(timestamp, ${times}) - 1 AS interval, count(*) AS count
      FROM events, ${table}
      WHERE timestamp >= (${times})[1] AND timestamp < (${times})[${instants.length}] ${matches} ${this.conditions}
      GROUP BY place, interval`;
    return [ALL, ...(told ? [told] : [])].map(of).join(' UNION ALL ');
  }

  /**
   * What is kept of a block. Each is looked up once by the whole of its key: the planner would rather read all groups of
   * a block, and look for the wanted ones among them.
   */
  private row(columns: readonly Column[], matches = ''): string {
    const apart = [...this.filtered, ...columns];
    const grain = apart.includes('name') ? 'type' : apart.includes('category') ? 'category' : 'application';
    // The index begins with the name, then the category.
    const without = { type: '', category: `AND name = ''`, application: `AND name = '' AND category = ''` }[
      grain
    ];
    return `
      SELECT ${[...columns, 'ends', 'counts'].join(', ')}
      FROM event_counts
      WHERE grain = '${grain}' AND block = wanted.block AND start = wanted.start ${without} ${matches} ${this.conditions}
      OFFSET 0`;
  }

  /** Events at an end of a range. Written with its own times, which tell the planner how few they are. */
  private within({ start, until }: Edge): string {
    return `timestamp >= ${this.parameter(start)} AND timestamp < ${this.parameter(until)} ${this.conditions}`;
  }

  private list<Row>(type: string, rows: readonly Row[], value: (row: Row) => unknown): string {
    return `${this.parameter(rows.map(value))}::${type}[]`;
  }
}

/** The running sum of a row of event_counts before an instant. */
const sumBefore = (instant: string): string => `counts[width_bucket(${instant}, ends)]`;
