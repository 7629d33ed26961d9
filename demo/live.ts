import { setTimeout as wait } from 'node:timers/promises';
import type { Application } from './applications/application.js';
import type { TheEye } from './the-eye.js';
import { APPLICATIONS, type Happening, happenings, HOUR } from './world.js';

/** Milliseconds between two requests of an application. */
const BEAT = 250;

/** Goes on as life does, each event sent as it happens, until `signal` ends it. */
export async function goOn(eye: TheEye, seed: number, rate: number, signal: AbortSignal): Promise<void> {
  await Promise.all(APPLICATIONS.map((application) => follow(application, eye, seed, rate, signal)));
}

async function follow(
  application: Application,
  eye: TheEye,
  seed: number,
  rate: number,
  signal: AbortSignal,
): Promise<void> {
  const hourOf = (instant: number): number => Math.floor(instant / HOUR) * HOUR;
  const begunIn = (hour: number): Happening[] => happenings(application, hour, seed, rate * 3600);
  let known = hourOf(Date.now());
  let ahead = unfinished([...begunIn(known - HOUR), ...begunIn(known)], Date.now());
  while (!signal.aborted) {
    const now = Date.now();
    if (hourOf(now) > known) ahead.push(...begunIn((known = hourOf(now))));
    const due = ahead.filter(({ at }) => at <= now).sort((a, b) => a.at - b.at);
    ahead = ahead.filter(({ at }) => at > now);
    for (let from = 0; from < due.length; from += 1000)
      await eye.send(
        application,
        due.slice(from, from + 1000).map(({ event }) => event),
      );
    await wait(BEAT, undefined, { signal }).catch(() => undefined);
  }
}

/** The sessions that are under way or yet to begin, from their beginning. */
function unfinished(found: Happening[], now: number): Happening[] {
  const going = new Set(found.filter(({ at }) => at > now).map(({ session }) => session));
  return found.filter(({ session }) => going.has(session));
}
