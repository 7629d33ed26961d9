import { ALWAYS, type Block, BLOCKS, cutAt, type Edge, edgeAt, minuteNear, type Readings } from './cuts.js';
import { type Column, type CountFilter, type Group, selectionOf } from './groups.js';

/** A statement that counts by running sums, by changes that are not in them yet, and at its ends by the events. */
export class CountStatement {
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
      `SELECT ${selected} coalesce(${runningSum('until')}, 0) - coalesce(${runningSum('since')}, 0) AS amount
       FROM unnest(${lists.join(', ')}) AS wanted (block, start, since, until), LATERAL (${this.row(columns)}) AS kept`,
      `SELECT ${selected} count
       FROM event_count_changes
       WHERE minute >= ${this.parameter(first.minute)} AND minute < ${this.parameter(last.minute)} ${this.conditions}`,
    ];
    for (const [{ edge }, side] of [
      [first, -1],
      [last, 1],
    ] as const)
      if (edge) amounts.push(`SELECT ${selected} ${side * edge.sign} FROM events WHERE ${this.within(edge)}`);
    return amounts.join(' UNION ALL ');
  }

  /**
   * The minutes of a range, both ends inclusive, with its latest or earliest so many events. First the months with so many
   * are found, then their days, hours and minutes: of each block those that come after too few.
   */
  minutesWith({ from, to }: typeof ALWAYS, events: number, latestFirst: boolean): string {
    const [first, last] = [from, to].map((end) => `${this.parameter(end)}::timestamp`);
    const wanted = this.parameter(events);
    const level = ({ block, ends: unit }: (typeof BLOCKS)[number]): string => {
      const blocks = block === 'ever' ? `(VALUES ('-infinity'::timestamp)) AS ever` : `${block}s`;
      // Of a block that is left out they would count alone, without the sums that they belong to.
      const within =
        block === 'ever' ? '' : `WHERE date_trunc('${block}', minute) IN (SELECT start FROM ${blocks})`;
      const next = `start + interval '1 ${unit}'`;
      // What an end of the range cuts, or a place at which a page ends, may have its events beyond.
      return `${unit}s AS (
        SELECT start FROM (
          SELECT start, sum(CASE WHEN start > ${first} AND ${next} <= ${last} THEN amount ELSE 0 END) OVER (
            ORDER BY start ${latestFirst ? 'DESC' : 'ASC'} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
          ) AS passed
          FROM (
            SELECT start, sum(amount) AS amount FROM (
              SELECT date_trunc('${unit}', ends[place] - interval '1 minute'), counts[place] - coalesce(counts[place - 1], 0)
              FROM (SELECT '${block}'::event_count_block, * FROM ${blocks}) AS wanted (block, start),
                LATERAL (${this.row([])}) AS kept, generate_subscripts(ends, 1) AS place
              UNION ALL
              SELECT date_trunc('${unit}', minute), count FROM changes ${within}
            ) AS amounts (start, amount)
            WHERE start <= ${last} AND ${next} > ${first}
            GROUP BY start
            HAVING sum(amount) > 0
          ) AS amounts
        ) AS ${unit}s
        WHERE coalesce(passed, 0) < ${wanted}
      )`;
    };
    return `
      WITH changes AS MATERIALIZED (
        SELECT minute, count FROM event_count_changes WHERE true ${this.conditions}
      ), ${BLOCKS.map(level).join(', ')}
      SELECT start AT TIME ZONE 'UTC' FROM minutes`;
  }

  /**
   * The sums of each row that is read, as an array, and by the minute or the instant what is not in them: of all that
   * matches, and by columns of the given groups, and of whatever else has something of each of them.
   */
  bySums(
    { rows }: Readings,
    instants: readonly string[],
    columns: readonly Column[],
    groups: readonly Group[],
  ): string {
    const lists = [
      this.list('event_count_block', rows, ({ block }) => block),
      this.list('timestamp', rows, ({ start }) => start),
      this.list('text', rows, ({ untils }) => `{${untils.join(',')}}`),
    ];
    const [from, to] = [instants.at(0), instants.at(-1)].map((end) => this.parameter(minuteNear(end ?? '')));
    // Both ends, as a rule; all buckets, where a time zone is not whole minutes from UTC, as all were once.
    const cut = instants.flatMap((instant, index) => {
      const edge = edgeAt(instant);
      return edge ? [{ index, ...edge }] : [];
    });
    const edges = [
      this.list('int', cut, ({ index }) => index),
      this.list('timestamptz', cut, ({ start }) => start),
      this.list('timestamptz', cut, ({ until }) => until),
      this.list('int', cut, ({ sign }) => sign),
    ];
    const of = (apart: readonly Column[], matches: string): string[] => {
      const selected = selectionOf(apart);
      const grouped = apart.map((column) => `, ${column}`).join('');
      return [
        `SELECT ${selected}, row, ${SUMS} AS sums, NULL::text AS minute, NULL::int AS instant, NULL::bigint AS count
         FROM wanted, LATERAL (${this.row(apart, matches)}) AS kept`,
        `SELECT ${selected}, NULL, NULL, to_char(minute, 'YYYY-MM-DD"T"HH24:MI') AS minute, NULL, sum(count)::bigint
         FROM event_count_changes
         WHERE minute >= ${from} AND minute < ${to} ${matches} ${this.conditions}
         GROUP BY event_count_changes.minute${grouped}`,
        `SELECT ${selected}, NULL, NULL, NULL, instant, sign * count
         FROM unnest(${edges.join(', ')}) AS edge (instant, start, until, sign), LATERAL (
           SELECT count(*)${grouped} FROM events
           WHERE timestamp >= start AND timestamp < until ${matches} ${this.conditions}
           ${apart.length > 0 ? `GROUP BY ${apart.join(', ')}` : ''}
         ) AS within`,
      ];
    };
    const told = groups.length > 0 ? columns : [];
    const matches = told.map((column) => {
      const values = new Set(groups.map((group) => group[column]));
      return `AND ${column} = ANY (${this.list('text', [...values], (value) => value)})`;
    });
    return `
      WITH wanted AS MATERIALIZED (
        SELECT block, start, untils::timestamp[] AS untils, (place - 1)::int AS row
        FROM unnest(${lists.join(', ')}) WITH ORDINALITY AS wanted (block, start, untils, place)
      )
      ${[...of([], ''), ...(told.length > 0 ? of(told, matches.join(' ')) : [])].join(' UNION ALL ')}`;
  }

  /**
   * What is kept of a block, looked up by the whole of its key: the planner would rather read all groups of a block, and
   * look for the wanted ones among them.
   */
  private row(columns: readonly Column[], matches = ''): string {
    const apart = [...this.filtered, ...columns];
    const grain = apart.includes('name') ? 'type' : apart.includes('category') ? 'category' : 'application';
    // In the index the name comes before the category.
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

/** The running sum of a row of event_counts before an instant; null where there is nothing. */
const runningSum = (instant: string): string => `counts[width_bucket(${instant}, ends)]`;

/**
 * Those before all that a row is asked for, or the row itself where that is shorter: of a rare type most minutes have
 * nothing. One alone, as hours of a zone a quarter off want of each block, is spared the subquery.
 */
const SUMS = `CASE
  WHEN cardinality(untils) = 1 THEN to_json(coalesce(${runningSum('untils[1]')}, 0))
  WHEN cardinality(ends) < cardinality(untils) THEN json_build_object('ends', ends, 'counts', counts)
  ELSE to_json(ARRAY(SELECT ${runningSum('until')} FROM unnest(untils) AS until))
END`;
