import { MultiBar, Presets } from 'cli-progress';
import type { TheEye } from './the-eye.js';
import { APPLICATIONS, type DemoEvent, happenings, HOUR } from './world.js';

/** Hours of the past that are filled. */
const HOURS = 7 * 24;
/** Events of a request. */
const BATCH = 1000;

/** What was sent. */
export interface Sent {
  accepted: number;
  refused: number;
}

/** Fills the week before `now`: each application by itself, hour by hour. */
export async function sendWeek(eye: TheEye, seed: number, events: number, now: number): Promise<Sent> {
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
          for (const { at, event } of happenings(
            application,
            { begin: hour, length: HOUR },
            seed,
            events / HOURS,
          )) {
            // What is yet to happen is sent by whoever runs this later.
            if (at <= now) batch.push(event);
            if (batch.length === BATCH) await send();
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
