/** Blocks of time that running sums are kept in; `ever` holds all time. */
export type Block = 'hour' | 'day' | 'month' | 'ever';

/** A running sum: the events of a block, by when it starts, that lie before `until`. */
export interface Sum {
  block: Block;
  start: string;
  until: string;
}

/** Events from the beginning of a minute, `start`, to before `until`, which no sum ends with. */
export interface Edge {
  start: string;
  until: string;
}

/** What lies before an instant is all that these count. */
export interface Cut {
  sums: Sum[];
  /** The beginning of its minute, before which the sums end. */
  minute: string;
  /** The rest, where there is any. */
  edge?: Edge;
}

/** Ends of time, as PostgreSQL spells them. */
export const ALWAYS = { from: '-infinity', to: 'infinity' };

/** @param instant a canonical timestamp, or an end of time */
export function cutAt(instant: string): Cut {
  if (instant === ALWAYS.from) return { sums: [], minute: instant };
  const ever = { block: 'ever', start: ALWAYS.from } as const;
  if (instant === ALWAYS.to) return { sums: [{ ...ever, until: instant }], minute: instant };
  const month = floor(instant, 'month');
  const day = floor(instant, 'day');
  const hour = floor(instant, 'hour');
  const minute = floor(instant, 'minute');
  const sums: Sum[] = [{ ...ever, until: month }];
  if (month !== day) sums.push({ block: 'month', start: month, until: day });
  if (day !== hour) sums.push({ block: 'day', start: day, until: hour });
  if (hour !== minute) sums.push({ block: 'hour', start: hour, until: minute });
  return minute === instant ? { sums, minute } : { sums, minute, edge: { start: minute, until: instant } };
}

/** A row of sums: what is read of it, in order. */
export interface Reading {
  block: Block;
  start: string;
  untils: string[];
}

/** Gathers the sums of cuts, ascending in time, by the rows that hold them: each row is read once, and each sum asked for once. */
export class Readings {
  readonly rows: Reading[] = [];
  private readonly latest = new Map<Block, { row: number; reading: Reading }>();

  /** Where a sum will stand: the index of its row, and that in its row. */
  add({ block, start, until }: Sum): [row: number, index: number] {
    let latest = this.latest.get(block);
    if (latest?.reading.start !== start) {
      latest = { row: this.rows.length, reading: { block, start, untils: [] } };
      this.latest.set(block, latest);
      this.rows.push(latest.reading);
    }
    const { row, reading } = latest;
    if (reading.untils.at(-1) !== until) reading.untils.push(until);
    return [row, reading.untils.length - 1];
  }
}

/** Characters of a canonical timestamp that say its unit, and what begins the unit. */
const UNITS = {
  month: [7, '-01T00:00:00.000000Z'],
  day: [10, 'T00:00:00.000000Z'],
  hour: [13, ':00:00.000000Z'],
  minute: [16, ':00.000000Z'],
} as const;

function floor(instant: string, unit: keyof typeof UNITS): string {
  const [length, rest] = UNITS[unit];
  return instant.slice(0, length) + rest;
}
