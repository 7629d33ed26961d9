import { en, Faker } from '@faker-js/faker';
import type { Application } from './applications/application.js';
import { desk } from './applications/desk.js';
import { shop } from './applications/shop.js';
import { stays } from './applications/stays.js';
import { spoil } from './spoil.js';

export const APPLICATIONS: readonly Application[] = [shop, stays, desk];

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;

/** Events of a session on average over all applications, found by counting; only the amount depends on it. */
const EVENTS_A_SESSION = 10;

/** An event as it is sent. */
export interface DemoEvent {
  session_id: unknown;
  category: unknown;
  name: unknown;
  data: unknown;
  timestamp: unknown;
}

/** An event, and when it happened, in milliseconds since 1970. */
export interface Happening {
  at: number;
  event: DemoEvent;
}

/** A stretch of time in milliseconds since 1970, within an hour and of whole minutes. */
export interface Stretch {
  begin: number;
  length: number;
}

/**
 * What the users of an application did in the sessions that began in a stretch of time, in no order. It depends on nothing
 * but its arguments, whenever it is asked: so what is sent again is the same, and stored only once.
 * @param rate events an hour on average, of all applications together
 */
export function happenings(
  application: Application,
  { begin, length }: Stretch,
  seed: number,
  rate: number,
): Happening[] {
  const random = new Faker({ locale: en });
  random.seed([seed, APPLICATIONS.indexOf(application), begin / MINUTE]);
  const events = busyness(application, begin) * application.share * rate * (length / HOUR);
  const expected = events / EVENTS_A_SESSION;
  const sessions = Math.floor(expected * (0.85 + 0.3 * random.number.float()) + random.number.float());
  const found: Happening[] = [];
  for (let session = 0; session < sessions; session++) {
    const session_id = random.string.uuid();
    let micros = (begin + random.number.int({ max: length - 1 })) * 1000 + random.number.int({ max: 999 });
    for (const { after, category, name, data } of application.visit(random)) {
      micros += Math.round(after * 1e6);
      const event = { session_id, category, name, data, timestamp: spell(micros) };
      found.push({ at: micros / 1000, event: spoil(random, event) });
    }
  }
  return found;
}

/** How busy an application is at an instant, beside the average hour of a working day. */
function busyness({ hours, weekend }: Application, instant: number): number {
  const at = new Date(instant);
  const average = hours.reduce((sum, busy) => sum + busy, 0) / hours.length;
  const isWeekend = at.getUTCDay() % 6 === 0;
  return ((hours[at.getUTCHours()] ?? 0) / average) * (isWeekend ? weekend : 1);
}

function spell(micros: number): string {
  const rest = String(Math.floor(micros % 1000)).padStart(3, '0');
  return new Date(micros / 1000).toISOString().replace('Z', `${rest}Z`);
}
