import { MultiBar, Presets } from 'cli-progress';
import type { DemoEvent } from './event.js';
import type { EyeClient } from './eye-client.js';
import { APPLICATIONS, HOUR, simulate } from './simulation.js';

/** Hours in a week. */
const HOURS = 7 * 24;
/** Events in a request. */
const BATCH_SIZE = 1000;

/** Counts of the events that were sent. */
export interface Sent {
  accepted: number;
  refused: number;
}

/** Sends the simulated events of the week before `now`, of all applications concurrently and hour by hour. */
export async function sendWeek(eye: EyeClient, seed: number, events: number, now: number): Promise<Sent> {
  const bars = new MultiBar({ hideCursor: true }, Presets.rect);
  const first = Math.floor(now / HOUR) * HOUR - (HOURS - 1) * HOUR;
  const sums = { accepted: 0, refused: 0 };
  try {
    await Promise.all(
      APPLICATIONS.map(async (application) => {
        const format = `  ${application.name.padEnd(11)} [{bar}] {percentage}%  {sent} events`;
        const bar = bars.create(HOURS, 0, { sent: 0 }, { format });
        let batch: DemoEvent[] = [];
        let sent = 0;
        const send = async (): Promise<void> => {
          if (batch.length === 0) return;
          const { accepted, refused } = await eye.send(application, batch);
          sent += batch.length;
          sums.accepted += accepted;
          sums.refused += refused;
          batch = [];
        };
        for (let hour = first; hour <= now; hour += HOUR) {
          for (const { at, event } of simulate(
            application,
            { start: hour, length: HOUR },
            seed,
            events / HOURS,
          )) {
            // Events in the future are left for a later run.
            if (at <= now) batch.push(event);
            if (batch.length === BATCH_SIZE) await send();
          }
          bar.increment(1, { sent });
        }
        await send();
        bar.update({ sent });
      }),
    );
  } finally {
    bars.stop();
  }
  return sums;
}
