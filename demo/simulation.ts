import { en, Faker } from '@faker-js/faker';
import type { Application } from './applications/application.js';
import { desk } from './applications/desk.js';
import { shop } from './applications/shop.js';
import { stays } from './applications/stays.js';
import type { DemoEvent } from './event.js';
import { withMistakes } from './mistakes.js';

export const APPLICATIONS: readonly Application[] = [shop, stays, desk];

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;

/** Average over all applications, measured. It determines how many sessions are generated for a rate of events. */
const EVENTS_PER_SESSION = 10;

export interface SimulatedEvent {
  /** Milliseconds since 1970. */
  at: number;
  event: DemoEvent;
  /** Whether the event has a mistake, so that The Eye refuses it. */
  hasMistake: boolean;
}

/** A period within one hour, in whole minutes. */
export interface Period {
  /** Milliseconds since 1970. */
  start: number;
  /** Milliseconds. */
  length: number;
}

/**
 * Generates the events of the sessions that started in a period, in no particular order. The result depends only on the
 * arguments, so a repeated run sends the same events, which The Eye stores once.
 * @param rate average events per hour of all applications together
 */
export function simulate(
  application: Application,
  { start, length }: Period,
  seed: number,
  rate: number,
): SimulatedEvent[] {
  const random = new Faker({ locale: en });
  random.seed([seed, APPLICATIONS.indexOf(application), start / MINUTE]);
  const expectedEvents = activity(application, start) * application.share * rate * (length / HOUR);
  const expectedSessions = expectedEvents / EVENTS_PER_SESSION;
  const sessions = Math.floor(
    expectedSessions * (0.85 + 0.3 * random.number.float()) + random.number.float(),
  );
  const events: SimulatedEvent[] = [];
  for (let session = 0; session < sessions; session++) {
    const session_id = random.string.uuid();
    let micros = (start + random.number.int({ max: length - 1 })) * 1000 + random.number.int({ max: 999 });
    for (const { after, category, name, data } of application.visit(random)) {
      micros += Math.round(after * 1e6);
      const event = { session_id, category, name, data, timestamp: formatMicros(micros) };
      const sent = withMistakes(random, event);
      events.push({ at: micros / 1000, event: sent, hasMistake: sent !== event });
    }
  }
  return events;
}

/** The activity of an application at an instant, relative to the average hour of a working day. */
function activity({ hours, weekend }: Application, instant: number): number {
  const date = new Date(instant);
  const average = hours.reduce((sum, hour) => sum + hour, 0) / hours.length;
  const isWeekend = date.getUTCDay() % 6 === 0;
  return ((hours[date.getUTCHours()] ?? 0) / average) * (isWeekend ? weekend : 1);
}

/** The timestamp with microseconds. */
function formatMicros(micros: number): string {
  const fraction = String(Math.floor(micros % 1000)).padStart(3, '0');
  return new Date(micros / 1000).toISOString().replace('Z', `${fraction}Z`);
}
