import { Injectable } from '@nestjs/common';
import { Database } from '../platform/database/database.js';
import { DatabaseUnavailableError } from '../platform/database/database-errors.js';
import { ReadSql } from '../platform/database/sql.js';
import type { Statement } from '../platform/paging/keyset-query.js';
import { CountStatement } from './count-statement.js';
import { ALWAYS, minuteNear, type Reading, Readings } from './cuts.js';
import {
  COLUMNS,
  type Column,
  type CountFilter,
  type Group,
  type GroupBy,
  GROUPS,
  isOf,
  selectionOf,
} from './groups.js';

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

/** Counts events, exactly, by what the database keeps of them (see the migration that creates event_counts). */
@Injectable()
export class EventCountsRepository {
  constructor(
    private readonly sql: ReadSql,
    private readonly database: Database,
  ) {}

  /** How many events match, from one canonical timestamp to before another. */
  async count(filter: CountFilter, range = ALWAYS): Promise<number> {
    if (range.from >= range.to) return 0;
    const statement = new CountStatement(filter);
    const [row] = await this.query<{ count: string }>(
      `SELECT coalesce(sum(amount), 0)::bigint AS count FROM (${statement.ofRange(range, [])}) AS amounts`,
      statement.parameters,
    );
    return Number(row?.count ?? 0);
  }

  /** False while what was stored before there were counts is being counted: they say too little. */
  get areKept(): boolean {
    return this.database.isReady;
  }

  /**
   * A statement that names the minutes, by when they begin, with the latest or the earliest so many events that match, of
   * those in a range, both ends inclusive; with all of them, where there are fewer.
   */
  minutes(filter: CountFilter, range: typeof ALWAYS, events: number, latestFirst: boolean): Statement {
    const statement = new CountStatement(filter);
    return { sql: statement.minutesWith(range, events, latestFirst), parameters: statement.parameters };
  }

  /** The largest groups of the events from one canonical timestamp to before another, of each way to group them. */
  async largest(
    range: typeof ALWAYS,
    filter: CountFilter,
    ways: readonly GroupBy[],
    limit: number,
  ): Promise<Largest[]> {
    const statement = new CountStatement(filter);
    const all = COLUMNS.filter((column) => ways.some((way) => isOf(way, column)));
    const amounts = statement.ofRange(range, all);
    const most = statement.parameter(limit);
    const lists = ways.map((by) => {
      const columns = GROUPS[by].join(', ');
      return `(
        SELECT '${by}' AS by, ${selectionOf(GROUPS[by])}, sum(count)::bigint AS count,
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
    const statement = new CountStatement(filter);
    const minutes = instants.map(minuteNear);
    const readings = new Readings(minutes);
    const rows = await this.query<SumsRow | MinuteRow | InstantRow>(
      statement.bySums(readings, instants, by === undefined ? [] : GROUPS[by], groups),
      statement.parameters,
    );
    const all = new Map(
      [{}, ...groups].map((group) => [
        keyOf(group),
        { series: { ...group, counts: [] as number[] }, sums: new Float64Array(readings.size) },
      ]),
    );
    for (const row of rows) {
      const sums = all.get(keyOf(row))?.sums;
      if (sums && row.sums !== null) addSums(sums, readings.rows[row.row], row.sums);
    }
    for (const { series, sums } of all.values()) series.counts = countsOf(instants, readings, sums);
    for (const row of rows) {
      if (row.sums !== null) continue;
      const [series, count] = [all.get(keyOf(row))?.series, Number(row.count)];
      if (row.minute !== null) addTo(series, intervalOf(row.minute, minutes), count);
      else {
        addTo(series, row.instant - 1, count);
        addTo(series, row.instant, -count);
      }
    }
    return [...all.values()].map(({ series }) => series);
  }

  private query<Row>(sql: string, parameters: unknown[]): Promise<Row[]> {
    if (!this.areKept) return Promise.reject(new DatabaseUnavailableError());
    return this.sql.query<Row>(sql, parameters);
  }
}

/** Of a group; where all are null, of all events. */
type OfGroup = Record<Column, string | null>;

/** The answers to a reading, the answer, if it asks for one, or what answers it. */
interface SumsRow extends OfGroup {
  row: number;
  sums: (number | null)[] | number | RunningSums;
}

/** What is kept of a block: so many events lie before each end, e.g. `2026-07-08T09:10:00` in UTC. */
interface RunningSums {
  ends: string[];
  counts: number[];
}

/** Events of a minute that are in no sum yet. */
interface MinuteRow extends OfGroup {
  /** In UTC, e.g. `2026-07-08T09:10`. */
  minute: string;
  count: string;
  sums: null;
}

/** Events between an instant, which is told by its index, and the minute near it: what its sums lack, or have too many. */
interface InstantRow extends OfGroup {
  instant: number;
  count: string;
  sums: null;
  minute: null;
}

/** No text of an event has a NUL in it. */
const keyOf = (group: Group | OfGroup): string => COLUMNS.map((column) => group[column] ?? '').join('\0');

function addTo(series: Series | undefined, interval: number, count: number): void {
  const counted = series?.counts[interval];
  if (series && counted !== undefined) series.counts[interval] = counted + count;
}

/** Several rows add to a sum: one for each application, and of a name for each of its categories. */
function addSums(sums: Float64Array, reading: Reading | undefined, found: SumsRow['sums']): void {
  if (!reading) return;
  const answers = typeof found === 'number' ? [found] : 'ends' in found ? answersOf(reading, found) : found;
  for (let index = 0; index < answers.length; index++) {
    const place = reading.places[index] ?? 0;
    sums[place] = (sums[place] ?? 0) + (answers[index] ?? 0);
  }
}

/** @returns what lies before each instant that a reading asks for, which are all but ascending */
function answersOf({ untils }: Reading, { ends, counts }: RunningSums): number[] {
  // An end has seconds where an instant has its Z, so that of both at the same minute the end comes first.
  const isBefore = (end: string | undefined, until: string): boolean => end !== undefined && end < until;
  let passed = 0;
  return untils.map((until) => {
    while (isBefore(ends[passed], until)) passed++;
    while (passed > 0 && !isBefore(ends[passed - 1], until)) passed--;
    return counts[passed - 1] ?? 0;
  });
}

function countsOf(instants: readonly string[], readings: Readings, sums: Float64Array): number[] {
  const counts: number[] = [];
  let before = readings.before(0, sums);
  for (let index = 1; index < instants.length; index++) {
    const after = readings.before(index, sums);
    counts.push(after - before);
    before = after;
  }
  return counts;
}

/** The interval that a minute lies in, of those between minutes. */
function intervalOf(minute: string, minutes: readonly string[]): number {
  let [first, last] = [0, minutes.length - 2];
  while (first < last) {
    const middle = Math.ceil((first + last) / 2);
    if ((minutes[middle] ?? '') <= `${minute}:00.000000Z`) first = middle;
    else last = middle - 1;
  }
  return first;
}
