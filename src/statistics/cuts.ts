import { isDeepStrictEqual } from 'node:util';

/** Blocks of time that running sums are kept in; `ever` holds all time. */
export type Block = 'hour' | 'day' | 'month' | 'ever';

/**
 * A look-up of a running sum: the events of a block that lie before `end`. It counts for, or with sign -1 against, one
 * interval of time.
 */
export interface Probe {
  interval: number;
  sign: 1 | -1;
  block: Block;
  /** UTC, as PostgreSQL reads a timestamp without a zone. */
  start: string;
  end: string;
}

/** Events that are counted one by one, because a sum ends with a minute: from the minute's beginning, before `end`. */
export interface Edge {
  interval: number;
  sign: 1 | -1;
  minute: string;
  end: string;
}

/** How the events between each two neighbours of some ascending instants are counted. */
export interface Cuts {
  /** The instants, each rounded down to its minute. */
  minutes: string[];
  probes: Probe[];
  edges: Edge[];
}

/** Ends of time, as PostgreSQL spells them. */
export const ALWAYS = { from: '-infinity', to: 'infinity' };

/** @param instants canonical timestamps, ascending; the first may be `-infinity` and the last `infinity` */
export function cutsAt(instants: readonly string[]): Cuts {
  const cuts: Cuts = { minutes: instants.map((instant) => floor(instant, 'minute')), probes: [], edges: [] };
  let before = instants[0] ?? '';
  for (const [interval, after] of instants.slice(1).entries()) {
    cuts.probes.push(...signed(interval, probesBefore(before), probesBefore(after)));
    cuts.edges.push(...signed(interval, edgesBefore(before), edgesBefore(after)));
    before = after;
  }
  return cuts;
}

/** What lies before the end of an interval counts for it, and before its beginning against it; both at once for nothing. */
function signed<Place extends object>(interval: number, before: Place[], after: Place[]) {
  const without = (places: Place[], others: Place[]): Place[] =>
    places.filter((place) => !others.some((other) => isDeepStrictEqual(place, other)));
  return [
    ...without(after, before).map((place) => ({ interval, sign: 1 as const, ...place })),
    ...without(before, after).map((place) => ({ interval, sign: -1 as const, ...place })),
  ];
}

/** The sums that together count all that lies before the minute of an instant. */
function probesBefore(instant: string): Omit<Probe, 'interval' | 'sign'>[] {
  if (instant === ALWAYS.from) return [];
  if (instant === ALWAYS.to) return [{ block: 'ever', start: ALWAYS.from, end: ALWAYS.to }];
  const [month, day, hour, minute] = (['month', 'day', 'hour', 'minute'] as const).map((unit) =>
    floor(instant, unit),
  ) as [string, string, string, string];
  return [
    { block: 'ever' as const, start: ALWAYS.from, end: month },
    { block: 'month' as const, start: month, end: day },
    { block: 'day' as const, start: day, end: hour },
    { block: 'hour' as const, start: hour, end: minute },
  ].filter(({ start, end }) => start !== end);
}

function edgesBefore(instant: string): Omit<Edge, 'interval' | 'sign'>[] {
  const minute = floor(instant, 'minute');
  return minute === instant ? [] : [{ minute, end: instant }];
}

/** Characters of a canonical timestamp that say its unit, and what begins the unit. */
const UNITS = {
  month: [7, '-01T00:00:00.000000Z'],
  day: [10, 'T00:00:00.000000Z'],
  hour: [13, ':00:00.000000Z'],
  minute: [16, ':00.000000Z'],
} as const;

function floor(instant: string, unit: keyof typeof UNITS): string {
  if (instant === ALWAYS.from || instant === ALWAYS.to) return instant;
  const [length, rest] = UNITS[unit];
  return instant.slice(0, length) + rest;
}
