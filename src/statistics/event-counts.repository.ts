import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { query } from '../database/query.js';
import { ALWAYS, type Cuts, cutsAt } from './cuts.js';

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
  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

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
    const statement = new Statement(cutsAt([from, to]), filter);
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
    const rows = await this.query<Row>(
      `${statement.with()} ${lists.join(' UNION ALL ')}`,
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
    const statement = new Statement(cutsAt(instants), filter);
    const columns = by === undefined ? [] : GROUPS[by];
    const told = columns.length > 0 && groups.length > 0 ? statement.told(columns, groups) : undefined;
    const rows = await this.query<{ place: number; interval: number; count: string }>(
      `${statement.with()}
       SELECT 0 AS place, interval, count FROM (${statement.counts([])}) AS total
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
    return query<Row>(this.dataSource.manager, sql, parameters);
  }
}

/** A statement that counts by running sums, by changes that are not in them yet, and at its edges by the events. */
class Statement {
  readonly parameters: unknown[] = [];
  private readonly probe: string;
  private readonly edge: string;
  private readonly minutes: string;
  private readonly conditions: string;
  private readonly filtered: Column[];

  constructor(cuts: Cuts, filter: CountFilter) {
    const { probes, edges, minutes } = cuts;
    const list = (type: string, values: unknown[]): string => `${this.parameter(values)}::${type}[]`;
    const lists = <Row>(rows: Row[], types: Partial<Record<keyof Row, string>>): string =>
      Object.entries(types)
        .map(([column, type]) =>
          list(
            type as string,
            rows.map((row) => row[column as keyof Row]),
          ),
        )
        .join(', ');
    const signed = { interval: 'int', sign: 'int' };
    this.probe = lists(probes, {
      ...signed,
      block: 'event_count_block',
      start: 'timestamp',
      end: 'timestamp',
    });
    this.edge = lists(edges, { ...signed, minute: 'timestamptz', end: 'timestamptz' });
    this.minutes = list('timestamp', minutes);
    const given = Object.entries(filter).filter(([, value]) => value !== undefined) as [Column, string][];
    this.filtered = given.map(([column]) => column);
    this.conditions = given.map(([column, value]) => `AND ${column} = ${this.parameter(value)}`).join(' ');
  }

  parameter(value: unknown): string {
    this.parameters.push(value);
    return `$${this.parameters.length}`;
  }

  with(): string {
    return `WITH probe AS MATERIALIZED (
      SELECT * FROM unnest(${this.probe}) AS probe (interval, sign, block, start, until)
    ), edge AS MATERIALIZED (
      SELECT * FROM unnest(${this.edge}) AS edge (interval, sign, minute, until)
    )`;
  }

  /** Counts by interval and by columns. */
  counts(columns: readonly Column[]): string {
    return this.sums(columns, columns, '');
  }

  /** Counts by interval and by place in a list of groups, from 1. */
  told(columns: readonly Column[], groups: readonly Group[]): string {
    const values = columns.map((column) => `${this.parameter(groups.map((group) => group[column]))}::text[]`);
    const told = `unnest(${values.join(', ')}) WITH ORDINALITY AS told (${columns.join(', ')}, place)`;
    return this.sums(['place'], columns, `JOIN ${told} USING (${columns.join(', ')})`);
  }

  private sums(keys: readonly string[], columns: readonly Column[], join: string): string {
    const { minutes, conditions } = this;
    const selected = [...keys, 'interval'].join(', ');
    return `
      SELECT ${selected}, sum(amount)::bigint AS count
      FROM (
        SELECT ${selected}, sign * counts[width_bucket(until, ends)] AS amount
        FROM probe JOIN event_counts USING (block, start) ${join}
        WHERE grain = '${grainOf([...this.filtered, ...columns])}' ${conditions}
        UNION ALL
        SELECT ${[...keys, `width_bucket(minute, ${minutes}) - 1`].join(', ')}, count
        FROM event_count_changes ${join}
        WHERE minute >= (${minutes})[1] AND minute < (${minutes})[cardinality(${minutes})] ${conditions}
        UNION ALL
        SELECT ${selected}, sign
        FROM edge JOIN events ON timestamp >= minute AND timestamp < until ${join}
        WHERE true ${conditions}
      ) AS amounts
      GROUP BY ${selected}`;
  }
}

/** What event_counts must tell apart; it always tells applications apart. */
function grainOf(columns: readonly Column[]): string {
  const category = columns.includes('category');
  const name = columns.includes('name');
  return category && name ? 'type' : category ? 'category' : name ? 'name' : 'application';
}
