import type { Filter, Property } from '../../src/platform/filters/filter.js';
import { type FilteredEvent, matches, valueOf } from '../../testing/filter-oracle.js';

/** A stored event. */
export interface StoredEvent extends FilteredEvent {
  readonly id: string;
  /** Microseconds since 1970. */
  readonly time: number;
}

/** How far an actor came in a funnel, and the time of each step. */
export interface Attempt {
  readonly actor: unknown;
  readonly first: StoredEvent;
  readonly times: readonly number[];
}

export const isScalar = (value: unknown): boolean => ['string', 'number', 'boolean'].includes(typeof value);

/** The events of each actor, in the order of their times and ids. */
export function actorsOf(events: readonly StoredEvent[], by: Property): Map<unknown, StoredEvent[]> {
  const actors = new Map<unknown, StoredEvent[]>();
  for (const event of events) {
    const actor = valueOf(by, event);
    if (isScalar(actor)) actors.set(actor, [...(actors.get(actor) ?? []), event]);
  }
  for (const ofActor of actors.values())
    ofActor.sort((a, b) => a.time - b.time || (a.id < b.id ? -1 : Number(a.id > b.id)));
  return actors;
}

/** Tries every sequence of events of every actor. */
export function attemptsOf(
  events: readonly StoredEvent[],
  funnel: { steps: readonly Filter[]; window: number; isStrict: boolean; by: Property },
): Attempt[] {
  const { steps, isStrict, by } = funnel;
  return [...actorsOf(events, by)].flatMap(([actor, ofActor]) => {
    const moments = [...new Set(ofActor.map(({ time }) => time))];
    const at = steps.map((step) => ofActor.filter((event) => matches(step, event)));
    /** The times of all ways on from a step. */
    const waysFrom = (step: number, time: number, end: number): number[][] => [
      [time],
      ...(at[step + 1] ?? [])
        .filter((next) => next.time > time && next.time <= end)
        .filter((next) => !isStrict || moments.indexOf(next.time) === moments.indexOf(time) + 1)
        .flatMap((next) => waysFrom(step + 1, next.time, end).map((way) => [time, ...way])),
    ];
    const ways = (at[0] ?? []).flatMap((first) =>
      waysFrom(0, first.time, first.time + funnel.window * 1e6).map((times) => ({ actor, first, times })),
    );
    // The longest one; of those, the one whose first, second, … step is the earliest.
    return ways
      .sort(
        (a, b) =>
          b.times.length - a.times.length ||
          a.times.reduce((order, time, step) => order || time - (b.times[step] ?? 0), 0),
      )
      .slice(0, 1);
  });
}

/** What SQL calls PERCENTILE_CONT; null of nothing. */
export function percentile(values: readonly number[], share: number): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  const place = share * (sorted.length - 1);
  const [below, above = below] = sorted.slice(Math.floor(place), Math.floor(place) + 2);
  return below === undefined || above === undefined ? null : below + (above - below) * (place % 1);
}

/** The sessions and times of each step, as the API gives them out. */
export function countsOf(attempts: readonly Attempt[], steps: number): { steps: object[]; total: object } {
  const seconds = (step: number, from: number): object => {
    const spans = attempts
      .filter(({ times }) => times.length > step)
      .map(({ times }) => (times[step] ?? 0) - (times[from] ?? 0));
    const close = (share: number): unknown => {
      const found = percentile(spans, share);
      return found === null ? null : expect.closeTo(found / 1e6, 5);
    };
    return { median: close(0.5), p90: close(0.9) };
  };
  return {
    steps: Array.from({ length: steps }, (_, step) => ({
      sessions: attempts.filter(({ times }) => times.length > step).length,
      ...(step > 0 && { from_previous: seconds(step, step - 1) }),
    })),
    total: seconds(steps - 1, 0),
  };
}

/** What an actor did after, or before, its first event of a step: values, nearest first, and null where it ended. */
export function pathsOf(
  events: readonly StoredEvent[],
  {
    step,
    by,
    direction,
    depth,
    value,
  }: {
    step: Filter;
    by: Property;
    direction: 'after' | 'before';
    depth: number;
    value: (event: StoredEvent) => unknown;
  },
): unknown[][] {
  return [...actorsOf(events, by).values()].flatMap((ofActor) => {
    const first = ofActor.findIndex((event) => matches(step, event));
    if (first === -1) return [];
    const others = direction === 'after' ? ofActor.slice(first + 1) : ofActor.slice(0, first).reverse();
    const values = others.map(value).filter((found) => found !== undefined);
    return [[...values.slice(0, depth), ...(values.length < depth ? [null] : [])]];
  });
}
