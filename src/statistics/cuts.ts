/** Blocks of time that running sums are kept in; `ever` holds all time. */
export type Block = 'hour' | 'day' | 'month' | 'ever';

/** The shortest time that sums can tell apart. */
export type Slot = 'minute' | 'quarter';

/**
 * A look-up of a running sum: the events of a block that lie before `until`. It counts for, or with sign -1 against, one
 * interval of time.
 */
export interface Probe {
  interval: number;
  sign: 1 | -1;
  block: Block;
  start: string;
  until: string;
}

/** Events that are counted one by one, because no sum ends there: from the beginning of a slot, before `until`. */
export interface Edge {
  interval: number;
  sign: 1 | -1;
  start: string;
  until: string;
}

/** How the events between each two neighbours of some ascending instants are counted. */
export interface Cuts {
  /** The instants, each rounded down to its slot. */
  slots: string[];
  probes: Probe[];
  edges: Edge[];
}

/** Ends of time, as PostgreSQL spells them. */
export const ALWAYS = { from: '-infinity', to: 'infinity' };

/** @param instants canonical timestamps, ascending; the first may be `-infinity` and the last `infinity` */
export function cutsAt(instants: readonly string[], slot: Slot): Cuts {
  const cuts: Cuts = { slots: instants.map((instant) => floor(instant, slot)), probes: [], edges: [] };
  let before = instants[0] ?? '';
  for (const [interval, after] of instants.slice(1).entries()) {
    cuts.probes.push(...signed(interval, probesBefore(before, slot), probesBefore(after, slot)));
    cuts.edges.push(...signed(interval, edgesBefore(before, slot), edgesBefore(after, slot)));
    before = after;
  }
  return cuts;
}

/** True where sums end at an instant. */
export function isOnSlot(instant: string, slot: Slot): boolean {
  return floor(instant, slot) === instant;
}

/** What lies before the end of an interval counts for it, and before its beginning against it; both at once for nothing. */
function signed<Place extends Span>(interval: number, before: Place[], after: Place[]) {
  const without = (places: Place[], others: Place[]): Place[] =>
    places.filter(
      ({ start, until }) => !others.some((other) => other.start === start && other.until === until),
    );
  return [
    ...without(after, before).map((place) => ({ interval, sign: 1 as const, ...place })),
    ...without(before, after).map((place) => ({ interval, sign: -1 as const, ...place })),
  ];
}

interface Span {
  start: string;
  until: string;
}

type Place<Signed> = Omit<Signed, 'interval' | 'sign'>;

/** The sums that together count all that lies before the slot of an instant. */
function probesBefore(instant: string, slot: Slot): Place<Probe>[] {
  if (instant === ALWAYS.from) return [];
  if (instant === ALWAYS.to) return [{ block: 'ever', start: ALWAYS.from, until: ALWAYS.to }];
  const [month, day, hour] = [floor(instant, 'month'), floor(instant, 'day'), floor(instant, 'hour')];
  const end = floor(instant, slot);
  const places: Place<Probe>[] = [
    { block: 'ever', start: ALWAYS.from, until: month },
    { block: 'month', start: month, until: day },
    { block: 'day', start: day, until: slot === 'quarter' ? end : hour },
    ...(slot === 'minute' ? [{ block: 'hour' as const, start: hour, until: end }] : []),
  ];
  return places.filter(({ start, until }) => start !== until);
}

function edgesBefore(instant: string, slot: Slot): Place<Edge>[] {
  return isOnSlot(instant, slot) ? [] : [{ start: floor(instant, slot), until: instant }];
}

/** Characters of a canonical timestamp that say its unit, and what begins the unit. */
const UNITS = {
  month: [7, '-01T00:00:00.000000Z'],
  day: [10, 'T00:00:00.000000Z'],
  hour: [13, ':00:00.000000Z'],
  minute: [16, ':00.000000Z'],
} as const;

function floor(instant: string, unit: keyof typeof UNITS | 'quarter'): string {
  if (instant === ALWAYS.from || instant === ALWAYS.to) return instant;
  if (unit === 'quarter') {
    const minute = Number(instant.slice(14, 16));
    return `${instant.slice(0, 14)}${String(minute - (minute % 15)).padStart(2, '0')}:00.000000Z`;
  }
  const [length, rest] = UNITS[unit];
  return instant.slice(0, length) + rest;
}
