import { en, Faker } from '@faker-js/faker';
import type { Application } from './applications/application.js';
import { desk } from './applications/desk.js';
import { shop } from './applications/shop.js';
import { stays } from './applications/stays.js';
import { spoil } from './spoil.js';

export const APPLICATIONS: readonly Application[] = [shop, stays, desk];

export const HOUR = 3_600_000;

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

/**
 * What the users of an application did in the sessions that began in an hour, in no order. It depends on nothing but its
 * arguments, whenever it is asked: so what is sent again is the same, and stored only once.
 * @param hour milliseconds since 1970, a whole hour
 * @param rate events an hour on average, of all applications together
 */
export function happenings(application: Application, hour: number, seed: number, rate: number): Happening[] {
  const random = new Faker({ locale: en });
  random.seed([seed, APPLICATIONS.indexOf(application), hour / HOUR]);
  const expected = (busyness(application, hour) * application.share * rate) / EVENTS_A_SESSION;
  const sessions = Math.floor(expected * (0.85 + 0.3 * random.number.float()) + random.number.float());
  const found: Happening[] = [];
  for (let session = 0; session < sessions; session++) {
    const session_id = random.string.uuid();
    let micros = (hour + random.number.int({ max: HOUR - 1 })) * 1000 + random.number.int({ max: 999 });
    for (const { after, category, name, data } of application.visit(random)) {
      micros += Math.round(after * 1e6);
      const event = { session_id, category, name, data, timestamp: spell(micros) };
      found.push({ at: micros / 1000, event: spoil(random, event) });
    }
  }
  return found;
}

/** How busy an hour is, beside the average hour of a working day. */
function busyness({ hours, weekend }: Application, hour: number): number {
  const at = new Date(hour);
  const average = hours.reduce((sum, busy) => sum + busy, 0) / hours.length;
  const isWeekend = at.getUTCDay() % 6 === 0;
  return ((hours[at.getUTCHours()] ?? 0) / average) * (isWeekend ? weekend : 1);
}

function spell(micros: number): string {
  const rest = String(Math.floor(micros % 1000)).padStart(3, '0');
  return new Date(micros / 1000).toISOString().replace('Z', `${rest}Z`);
}
