import type { Faker } from '@faker-js/faker';

/** What a visitor does next, and how many seconds after what came before. */
export interface Step {
  after: number;
  category: string;
  name: string;
  data: Record<string, unknown>;
}

/** A made-up application, and what its users do. */
export interface Application {
  name: string;
  /** Of its pages, which send the events: an ingest key that names it counts with AUTH=off, too. */
  origin: string;
  /** Its share of all sessions. */
  share: number;
  /** How busy each hour of a day is, in UTC. */
  hours: readonly number[];
  /** How busy a day of the weekend is beside a working day. */
  weekend: number;
  visit(random: Faker): Generator<Step>;
}

/** True in so many of a hundred cases. */
export const chance = (random: Faker, percent: number): boolean => random.number.int({ max: 99 }) < percent;

/** Seconds that a person takes: often few, at times many. */
export const pause = (random: Faker, typical: number): number =>
  typical * (0.2 + random.number.float() ** 2 * 3);

/** A page is shown. */
export const view = (random: Faker, host: string, path: string, typical = 12): Step => ({
  after: pause(random, typical),
  category: 'page interaction',
  name: 'pageview',
  data: { host, path },
});
