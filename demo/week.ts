import { MultiBar, Presets } from 'cli-progress';
import type { Application } from './applications/application.js';
import type { DemoEvent } from './event.js';
import type { EyeClient } from './eye-client.js';
import { APPLICATIONS, HOUR, simulate, type SimulatedEvent } from './simulation.js';

/** Hours in a week. */
const HOURS = 7 * 24;
/** Events in a request. */
const BATCH_SIZE = 1000;

/** Counts of the events that were sent. */
export interface Sent {
  accepted: number;
  refused: number;
  /** Left out, because an earlier run has sent them. */
  sentBefore: number;
}

/**
 * Sends the simulated events of the week before `now`, of all applications concurrently and hour by hour. Leaves out those
 * that an earlier run has sent: The Eye would store no event twice, but count each refusal again.
 */
export async function sendWeek(eye: EyeClient, seed: number, events: number, now: number): Promise<Sent> {
  const bars = new MultiBar({ hideCursor: true }, Presets.rect);
  const first = Math.floor(now / HOUR) * HOUR - (HOURS - 1) * HOUR;
  const sums = { accepted: 0, refused: 0, sentBefore: 0 };
  try {
    await Promise.all(
      APPLICATIONS.map(async (application) => {
        const format = `  ${application.name.padEnd(11)} [{bar}] {percentage}%  {sent} events`;
        const bar = bars.create(HOURS, 0, { sent: 0 }, { format });
        let batch: DemoEvent[] = [];
        let sent = 0;
        let sentBefore = await eye.hasEvents(application);
        const send = async (): Promise<void> => {
          if (batch.length === 0) return;
          const { accepted, refused } = await eye.send(application, batch);
          sent += batch.length;
          sums.accepted += accepted;
          sums.refused += refused;
          batch = [];
        };
        for (let hour = first; hour <= now; hour += HOUR) {
          const simulated = simulate(application, { start: hour, length: HOUR }, seed, events / HOURS)
            // Events in the future are left for a later run.
            .filter(({ at }) => at <= now)
            .sort((a, b) => a.at - b.at);
          const done = sentBefore ? await countSent(eye, application, simulated) : 0;
          sums.sentBefore += done;
          sentBefore &&= done > 0 || simulated.length === 0;
          for (const { event } of simulated.slice(done)) {
            batch.push(event);
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

/**
 * How many of the events, which are in the order of their sending, an earlier run has sent: those up to the last one that
 * is stored, with the mistakes after it.
 */
async function countSent(
  eye: EyeClient,
  application: Application,
  events: SimulatedEvent[],
): Promise<number> {
  const valid = events.filter(({ hasMistake }) => !hasMistake);
  if (valid.length === 0) return events.length;
  let sent = 0;
  let unsent = valid.length;
  // Usually all of them or none are stored. Otherwise a binary search finds the first one that is not.
  for (
    let probe = valid.length - 1;
    sent < unsent;
    probe = sent === 0 ? 0 : Math.floor((sent + unsent) / 2)
  ) {
    if (await eye.isStored(application, (valid[probe] as SimulatedEvent).event)) sent = probe + 1;
    else unsent = probe;
  }
  const next = valid[sent];
  if (sent === 0) return 0;
  return next ? events.indexOf(next) : events.length;
}
