import { setTimeout as wait } from 'node:timers/promises';
import type { Application } from './applications/application.js';
import type { TheEye } from './the-eye.js';
import { APPLICATIONS, type Happening, happenings, MINUTE } from './world.js';

/** Milliseconds between two requests of an application. */
const BEAT = 250;
/** Milliseconds before the start in which those sessions began that are under way: most take less. */
const BEFORE = 10 * MINUTE;
/** Events of a request. */
const BATCH = 1000;

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
  // Sessions that are under way at the start are joined in the middle, so that there is no flood of what was before.
  const start = Date.now();
  let next = Math.floor(start / MINUTE) * MINUTE - BEFORE;
  let ahead: Happening[] = [];
  while (!signal.aborted) {
    const now = Date.now();
    for (; next <= now; next += MINUTE) {
      const begun = happenings(application, { begin: next, length: MINUTE }, seed, rate * 3600);
      for (const happening of begun) if (happening.at > start) ahead.push(happening);
    }
    const due = ahead.filter(({ at }) => at <= now).sort((a, b) => a.at - b.at);
    ahead = ahead.filter(({ at }) => at > now);
    for (let from = 0; from < due.length; from += BATCH) {
      const events = due.slice(from, from + BATCH).map(({ event }) => event);
      await eye.send(application, events);
    }
    await wait(BEAT, undefined, { signal }).catch(() => undefined);
  }
}
