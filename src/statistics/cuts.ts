/** Ends of time, as PostgreSQL spells them. */
export const ALWAYS = { from: '-infinity', to: 'infinity' };
const isEndOfTime = (instant: string): boolean => instant === ALWAYS.from || instant === ALWAYS.to;

const MINUTE = 60_000;

/** Characters of a canonical timestamp that say its unit, and what begins the unit. */
const UNITS = {
  month: [7, '-01T00:00Z'],
  day: [10, 'T00:00Z'],
  hour: [13, ':00Z'],
  minute: [16, 'Z'],
} as const;
type Unit = keyof typeof UNITS;

/**
 * Blocks of time that running sums are kept in, from the longest (all time) to the shortest, and what their sums end with.
 * Those of a day end with half hours too, so that where half an hour begins there is nothing left for the hour to tell.
 */
export const BLOCKS = [
  { block: 'ever', ends: 'month', endsAtHalf: 'month' },
  { block: 'month', ends: 'day', endsAtHalf: 'day' },
  { block: 'day', ends: 'hour', endsAtHalf: 'minute' },
  { block: 'hour', ends: 'minute', endsAtHalf: 'hour' },
] as const;
export type Block = (typeof BLOCKS)[number]['block'];

/** A running sum: the events of a block, by when it starts, that lie before `until`. */
export interface Sum {
  block: Block;
  start: string;
  until: string;
}

/** Events between an instant and a minute, from `start` to before `until`. */
export interface Edge {
  start: string;
  until: string;
  /** 1 where they lie before the instant, and no sum has them; -1 where they lie after it, and one has. */
  sign: 1 | -1;
}

/** What lies before an instant is what these count. */
export interface Cut {
  sums: Sum[];
  /** With it the sums end. */
  minute: string;
  /** Nothing where a minute begins. */
  edge: Edge | undefined;
}

/** @param instant a canonical timestamp, or an end of time */
export function cutAt(instant: string): Cut {
  const minute = minuteNear(instant);
  const sums = BLOCKS.map((level) => sumBefore(minute, level)).filter(isNotEmpty);
  return { sums, minute, edge: edgeAt(instant) };
}

/** @param instant a canonical timestamp, or an end of time */
export function edgeAt(instant: string): Edge | undefined {
  const minute = minuteNear(instant);
  if (minute === instant) return undefined;
  return minute < instant
    ? { start: minute, until: instant, sign: 1 }
    : { start: instant, until: minute, sign: -1 };
}

/**
 * The minute that ends the sums before an instant, with few events between them: the next one, because from now until
 * then there are next to none; but the one just begun where it is within its first second, as an inclusive end is.
 */
export function minuteNear(instant: string): string {
  if (isEndOfTime(instant)) return instant;
  if (instant.startsWith('00', UNITS.minute[0] + 1)) return `${instant.slice(0, UNITS.minute[0])}:00.000000Z`;
  const next = new Date(Date.parse(floor(instant, 'minute')) + MINUTE).toISOString();
  // There is no event of the year 10000.
  return next.startsWith('+') ? ALWAYS.to : `${next.slice(0, -1)}000Z`;
}

/** A row of sums, up to when they are asked for, and the places of the answers. */
export interface Reading {
  block: Block;
  start: string;
  untils: string[];
  places: number[];
}

/** The place of a sum of nothing. */
const NOTHING = 0;

/** The sums of many instants: each row is read once, and each sum asked for once. */
export class Readings {
  readonly rows: Reading[] = [];
  /** Places that there are. */
  size = NOTHING + 1;
  /** For each instant the places of its sums, one for each kind of block. */
  private readonly places: Uint32Array;

  /** @param instants with which minutes begin, ascending; thousands, so what neighbours have in common is not worked out again */
  constructor(instants: readonly string[]) {
    this.places = new Uint32Array(instants.length * BLOCKS.length);
    const latest: (Reading | undefined)[] = [];
    for (const [index, instant] of instants.entries()) {
      const same = index === 0 ? 0 : sameLength(instant, instants[index - 1] ?? '');
      const isOther = isHalfHour(instant) !== isHalfHour(instants[index - 1] ?? '');
      for (const [kind, level] of BLOCKS.entries()) {
        const at = index * BLOCKS.length + kind;
        const isSame = same >= UNITS[level.ends][0] && !(isOther && level.block === 'day');
        if (isSame) this.places[at] = this.places[at - BLOCKS.length] ?? NOTHING;
        else {
          const sum = sumBefore(instant, level);
          if (isNotEmpty(sum)) this.places[at] = this.ask((latest[kind] = this.row(sum, latest[kind])), sum);
        }
      }
    }
  }

  /** What lies before an instant, by its index. @param sums by their places */
  before(index: number, sums: Float64Array): number {
    let all = 0;
    for (let at = index * BLOCKS.length; at < (index + 1) * BLOCKS.length; at++)
      all += sums[this.places[at] ?? NOTHING] ?? 0;
    return all;
  }

  private row({ block, start }: Sum, latest: Reading | undefined): Reading {
    if (latest?.start === start) return latest;
    const row = { block, start, untils: [], places: [] };
    this.rows.push(row);
    return row;
  }

  private ask({ untils, places }: Reading, { until }: Sum): number {
    // After its half an hour is asked for once more.
    const known = untils.at(-2) === until ? places.at(-2) : undefined;
    if (known !== undefined) return known;
    untils.push(until);
    places.push(this.size);
    return this.size++;
  }
}

/** @param instant at which a minute begins, or an end of time */
function sumBefore(instant: string, { block, ends, endsAtHalf }: (typeof BLOCKS)[number]): Sum {
  const start = block === 'ever' ? ALWAYS.from : floor(instant, block);
  return { block, start, until: floor(instant, isHalfHour(instant) ? endsAtHalf : ends) };
}

/** True where half an hour begins. */
const isHalfHour = (instant: string): boolean => instant.startsWith('30', UNITS.hour[0] + 1);

/** What lies before the end with which its block starts is nothing. */
const isNotEmpty = ({ start, until }: Sum): boolean => start !== until;

function floor(instant: string, unit: Unit): string {
  if (isEndOfTime(instant)) return instant;
  const [length, rest] = UNITS[unit];
  return instant.slice(0, length) + rest;
}

/** How many characters two canonical timestamps begin with in common, as far as their minutes. */
function sameLength(one: string, other: string): number {
  let length = 0;
  while (length < UNITS.minute[0] && one.charCodeAt(length) === other.charCodeAt(length)) length++;
  return length;
}
