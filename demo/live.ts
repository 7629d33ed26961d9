import { setTimeout as wait } from 'node:timers/promises';
import type { TheEye } from './the-eye.js';
import { APPLICATIONS, type Happening, happenings, HOUR } from './world.js';

/** Milliseconds between two requests of an application. */
const BEAT = 250;

/** Goes on as life does, each event sent as it happens, until `signal` ends it. */
export async function goOn(eye: TheEye, seed: number, rate: number, signal: AbortSignal): Promise<void> {
  await Promise.all(
    APPLICATIONS.map(async (application) => {
      let known = 0;
      let ahead: Happening[] = [];
      let last = Date.now();
      while (!signal.aborted) {
        const now = Date.now();
        const hour = Math.floor(now / HOUR) * HOUR;
        // Sessions of the hour before last into this one.
        for (let next = Math.max(known + HOUR, hour - HOUR); next <= hour; known = next, next += HOUR)
          ahead.push(...happenings(application, next, seed, rate * 3600));
        const due = ahead.filter(({ at }) => at > last && at <= now);
        ahead = ahead.filter(({ at }) => at > now);
        last = now;
        if (due.length > 0)
          await eye.send(
            application,
            due.map(({ event }) => event),
          );
        await wait(BEAT, undefined, { signal }).catch(() => undefined);
      }
    }),
  );
}
