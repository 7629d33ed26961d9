import { setTimeout as wait } from 'node:timers/promises';
import type { Application } from './applications/application.js';
import type { EyeClient } from './eye-client.js';
import { APPLICATIONS, MINUTE, type SimulatedEvent, simulate } from './simulation.js';

/** Time between two requests of an application. */
const SEND_INTERVAL_MS = 250;
/** Sessions that started this long before the run are simulated too, because they may still be active. */
const MAX_SESSION_MS = 10 * MINUTE;
/** Events in a request. */
const BATCH_SIZE = 1000;

/**
 * Sends simulated events at the time at which they happen, until `signal` aborts.
 * @param rate average events per second
 */
export async function sendLive(
  eye: EyeClient,
  seed: number,
  rate: number,
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(APPLICATIONS.map((application) => sendApplication(application, eye, seed, rate, signal)));
}

async function sendApplication(
  application: Application,
  eye: EyeClient,
  seed: number,
  rate: number,
  signal: AbortSignal,
): Promise<void> {
  // Of sessions that are already active, only events from now on are sent, so that the run does not begin with a burst.
  const start = Date.now();
  let next = Math.floor(start / MINUTE) * MINUTE - MAX_SESSION_MS;
  let pending: SimulatedEvent[] = [];
  while (!signal.aborted) {
    const now = Date.now();
    for (; next <= now; next += MINUTE) {
      const simulated = simulate(application, { start: next, length: MINUTE }, seed, rate * 3600);
      pending.push(...simulated.filter(({ at }) => at > start));
    }
    const due = pending.filter(({ at }) => at <= now).sort((a, b) => a.at - b.at);
    pending = pending.filter(({ at }) => at > now);
    for (let from = 0; from < due.length; from += BATCH_SIZE) {
      const events = due.slice(from, from + BATCH_SIZE).map(({ event }) => event);
      await eye.send(application, events);
    }
    await wait(SEND_INTERVAL_MS, undefined, { signal }).catch(() => undefined);
  }
}
