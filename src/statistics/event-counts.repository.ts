import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { Database } from '../database/database.js';
import { DatabaseUnavailableError } from '../database/database-errors.js';
import { query } from '../database/query.js';
import { ALWAYS, type Cuts, cutsAt, type Edge, isOnSlot, type Slot } from './cuts.js';

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
  async count(filter: CountFilter, { from, to } = ALWAYS): Promise<number> {
    if (from !== ALWAYS.from && to !== ALWAYS.to && from >= to) return 0;
    const [series] = await this.series([from, to], filter);
    return series?.counts[0] ?? 0;
  }

  /** The largest groups of the events from one canonical timestamp to before another, of each way to group them. */
  async largest(
    { from, to }: typeof ALWAYS,
    filter: CountFilter,
    ways: readonly GroupBy[],
    limit: number,
  ): Promise<Largest[]> {
    const statement = new Statement([from, to], filter);
    const most = statement.parameter(limit);
    const lists = ways.map((by) => {
      const columns: readonly Column[] = GROUPS[by];
      const selected = COLUMNS.map((column) => (columns.includes(column) ? column : `NULL AS ${column}`));
      return `(
        SELECT '${by}' AS by, ${selected.join(', ')}, count, count(*) OVER () AS groups, sum(count) OVER () AS total
        FROM (${statement.counts(columns)}) AS counted
        WHERE count > 0
        ORDER BY count DESC, ${columns.join(', ')}
        LIMIT ${most}
      )`;
    });
    type Row = Record<Column, string | null> & { by: GroupBy; count: string; groups: string; total: string };
    const rows = await this.query<Row>(lists.join(' UNION ALL '), statement.parameters);
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
    const statement = new Statement(instants, filter);
    const columns = by === undefined ? [] : GROUPS[by];
    const told = columns.length > 0 && groups.length > 0 ? statement.told(columns, groups) : undefined;
    const rows = await this.query<{ place: number; interval: number; count: string }>(
      `SELECT 0 AS place, interval, count FROM (${statement.counts([])}) AS total
       ${told === undefined ? '' : `UNION ALL SELECT place::int, interval, count FROM (${told}) AS told`}`,
      statement.parameters,
    );
    const series: Series[] = [{}, ...groups].map((group) => ({
      ...group,
      counts: new Array<number>(instants.length - 1).fill(0),
    }));
    for (const { place, interval, count } of rows) {
      const counts = series[place]?.counts;
      if (counts) counts[interval] = Number(count);
    }
    return series;
  }

  private query<Row>(sql: string, parameters: unknown[]): Promise<Row[]> {
    // While what was stored before there were counts is being counted, they say too little.
    if (!this.database.isReady) return Promise.reject(new DatabaseUnavailableError());
    return query<Row>(this.dataSource.manager, sql, parameters);
  }
}

type Kept = Cuts & { grain: string };

/** A statement that counts by running sums, by changes that are not in them yet, and at its ends by the events. */
class Statement {
  readonly parameters: unknown[] = [];
  private readonly filtered: Column[];
  private readonly conditions: string;

  constructor(
    private readonly instants: readonly string[],
    filter: CountFilter,
  ) {
    const given = Object.entries(filter).filter(([, value]) => value !== undefined) as [Column, string][];
    this.filtered = given.map(([column]) => column);
    this.conditions = given.map(([column, value]) => `AND ${column} = ${this.parameter(value)}`).join(' ');
  }

  parameter(value: unknown): string {
    this.parameters.push(value);
    return `$${this.parameters.length}`;
  }

  /** Counts by interval and by columns. */
  counts(columns: readonly Column[]): string {
    return this.sums(columns, columns);
  }

  /** Counts by interval and by place in a list of groups, from 1. */
  told(columns: readonly Column[], groups: readonly Group[]): string {
    const values = columns.map((column) => this.list('text', groups, (group) => group[column]));
    const told = `unnest(${values.join(', ')}) WITH ORDINALITY AS told (${columns.join(', ')}, place)`;
    return this.sums(['place'], columns, told);
  }

  private sums(keys: readonly string[], columns: readonly Column[], told?: string): string {
    const join = told === undefined ? '' : `JOIN ${told} USING (${columns.join(', ')})`;
    const { grain, slot } = grainOf([...this.filtered, ...columns]);
    const isKept = this.instants.slice(1, -1).every((instant) => isOnSlot(instant, slot));
    const kept: Kept = { grain, ...cutsAt(this.instants, slot) };
    const amounts = isKept
      ? [
          this.bySums(keys, columns, kept, told),
          this.byChanges(keys, kept, join),
          ...kept.edges.map((edge) => this.atEdge(keys, edge, join)),
        ].join(' UNION ALL ')
      : this.byEvents(keys, join);
    const grouped = [...keys, 'interval'].join(', ');
    return `SELECT ${grouped}, sum(amount)::bigint AS count FROM (${amounts}) AS amounts GROUP BY ${grouped}`;
  }

  /**
   * Each row of sums is looked up once by the whole of its key, and then asked for all that it knows: the planner would
   * rather read all groups of a block, and look for the wanted ones among them.
   */
  private bySums(
    keys: readonly string[],
    columns: readonly Column[],
    { grain, probes }: Kept,
    told?: string,
  ): string {
    const probe = [
      this.list('int', probes, ({ interval }) => interval),
      this.list('int', probes, ({ sign }) => sign),
      this.list('event_count_block', probes, ({ block }) => block),
      this.list('timestamp', probes, ({ start }) => start),
      this.list('timestamp', probes, ({ until }) => until),
    ];
    const wanted =
      told === undefined ? '' : columns.map((column) => `AND ${column} = told.${column}`).join(' ');
    return `
      SELECT ${[...keys, 'interval', 'sign * counts[width_bucket(until, ends)] AS amount'].join(', ')}
      FROM (
        SELECT block, start, array_agg(interval) AS intervals, array_agg(sign) AS signs, array_agg(until) AS untils
        FROM unnest(${probe.join(', ')}) AS probe (interval, sign, block, start, until)
        GROUP BY block, start
      ) AS wanted
      ${told === undefined ? '' : `CROSS JOIN ${told}`}
      CROSS JOIN LATERAL (
        SELECT ${[...(told === undefined ? columns : []), 'ends', 'counts'].join(', ')}
        FROM event_counts
        WHERE grain = '${grain}' AND block = wanted.block AND start = wanted.start ${wanted} ${this.conditions}
        OFFSET 0
      ) AS sums
      CROSS JOIN LATERAL unnest(intervals, signs, untils) AS probe (interval, sign, until)`;
  }

  /** What is not in the sums yet. */
  private byChanges(keys: readonly string[], { slots }: Kept, join: string): string {
    const times = this.list('timestamp', slots, (instant) => instant);
    return `
      SELECT ${[...keys, `width_bucket(minute, ${times}) - 1`, 'count'].join(', ')}
      FROM event_count_changes ${join}
      WHERE minute >= (${times})[1] AND minute < (${times})[${slots.length}] ${this.conditions}`;
  }

  /** Each with its own ends, which tell the planner how little it is. */
  private atEdge(keys: readonly string[], { interval, sign, start, until }: Edge, join: string): string {
    return `
      SELECT ${[...keys, interval, sign].join(', ')}
      FROM events ${join}
      WHERE timestamp >= ${this.parameter(start)} AND timestamp < ${this.parameter(until)} ${this.conditions}`;
  }

  /** Of minutes no sums of names are kept, and of seconds none; both are asked for in short ranges only. */
  private byEvents(keys: readonly string[], join: string): string {
    const times = this.list('timestamptz', this.instants, (instant) => instant);
    return `
      SELECT ${[...keys, `width_bucket(timestamp, ${times}) - 1 AS interval`, '1 AS amount'].join(', ')}
      FROM events ${join}
      WHERE timestamp >= (${times})[1] AND timestamp < (${times})[${this.instants.length}] ${this.conditions}`;
  }

  private list<Row>(type: string, rows: readonly Row[], value: (row: Row) => unknown): string {
    return `${this.parameter(rows.map(value))}::${type}[]`;
  }
}

/** Which of the kept counts tell these columns apart (all tell applications apart), and how finely in time. */
function grainOf(columns: readonly Column[]): { grain: string; slot: Slot } {
  const category = columns.includes('category');
  if (columns.includes('name')) return { grain: category ? 'type' : 'name', slot: 'quarter' };
  return { grain: category ? 'category' : 'application', slot: 'minute' };
}
