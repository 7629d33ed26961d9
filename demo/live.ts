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
  // Sessions that are under way at the start are joined in the middle, so that there is no flood of what was before.
  const start = Date.now();
  let ahead = [...begunIn(known - HOUR), ...begunIn(known)].filter(({ at }) => at > start);
  while (!signal.aborted) {
    const now = Date.now();
    if (hourOf(now) > known) ahead.push(...begunIn((known = hourOf(now))));
    const due = ahead.filter(({ at }) => at <= now).sort((a, b) => a.at - b.at);
    ahead = ahead.filter(({ at }) => at > now);
    const events = due.map(({ event }) => event);
    if (events.length > 0) await eye.send(application, events);
    await wait(BEAT, undefined, { signal }).catch(() => undefined);
  }
}
