import type { Faker } from '@faker-js/faker';

/** The next action of a visitor. */
export interface Step {
  /** Seconds since the previous step. */
  after: number;
  category: string;
  name: string;
  data: Record<string, unknown>;
}

/** An event type that an application registers, with the schema of its payload. */
export interface EventType {
  category: string;
  name: string;
  mode: 'observe' | 'enforce';
  schema: Record<string, unknown>;
}

/** A simulated application and the behaviour of its users. */
export interface Application {
  name: string;
  /** Origin of the pages that send the events. The ingest key allows it, which The Eye also checks with AUTH=off. */
  origin: string;
  /** Its share of all sessions. */
  share: number;
  /** Relative activity in each hour of a day, in UTC. */
  hours: readonly number[];
  /** Activity on a day of the weekend, relative to a working day. */
  weekend: number;
  eventTypes?: readonly EventType[];
  /** Generates the steps of one session. */
  visit(random: Faker): Generator<Step>;
}

/** Returns true with the given probability in percent. */
export const chance = (random: Faker, percent: number): boolean => random.number.int({ max: 99 }) < percent;

/** A random number of seconds between two steps: usually short, sometimes long. */
export const pause = (random: Faker, typical: number): number =>
  typical * (0.2 + random.number.float() ** 2 * 3);

/** A page view. */
export const view = (random: Faker, host: string, path: string, typical = 12): Step => ({
  after: pause(random, typical),
  category: 'page interaction',
  name: 'pageview',
  data: { host, path },
});
