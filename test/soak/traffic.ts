import { setTimeout as wait } from 'node:timers/promises';
import { Ledger, type SentEvent } from '../support/ledger.js';
import type { Random } from '../../testing/random.js';
import { anEvent, type EyeResponse, type TheEye } from '../../testing/the-eye.js';

export interface TrafficOptions {
  /** Events per second outside bursts. */
  rate: number;
  /** Duration in seconds. */
  duration: number;
  random: Random;
}

/** Once per interval, a burst multiplies the rate by this factor for a second. */
const BURST = { factor: 50, intervalSeconds: 30 };

/** Each tick sends its share of events, whether or not earlier requests have finished. */
const TICK_MS = 100;

/** Number of events per tick sent in single-event requests. The others are sent as arrays. */
const SINGLES_PER_TICK = 5;
const MAX_ARRAY_SIZE = 500;

/** Shares of all events. */
const INVALID_SHARE = 0.03;
const DUPLICATE_SHARE = 0.05;

/** Fields that must be refused, with the expected code. */
const INVALID_FIELDS: readonly (readonly [Record<string, unknown>, string])[] = [
  [{ timestamp: '2021-02-30T09:15:31Z' }, 'invalid_timestamp'],
  [{ timestamp: '2999-01-01T00:00:00Z' }, 'timestamp_in_future'],
  [{ name: undefined }, 'missing_field'],
];

interface Sent {
  event: SentEvent;
  /** The code with which the event must be refused. */
  code?: string;
}

/** Sends events at a steady rate with bursts. Some are invalid, and some are duplicates. */
export class Traffic {
  readonly ledger = new Ledger();
  /** Number of refused events by expected code. */
  readonly refused = new Map<string, number>();
  /** Response times in milliseconds, in the order of arrival. */
  readonly latencies: number[] = [];
  /** Number of events sent, including duplicates and invalid ones. */
  events = 0;
  /** Descriptions of unexpected responses. */
  readonly faults = new Set<string>();

  private readonly recent: SentEvent[] = [];
  private readonly inFlight = new Set<Promise<void>>();

  constructor(
    private readonly eye: TheEye,
    private readonly options: TrafficOptions,
  ) {}

  /** Resolves after the last response. */
  async run(): Promise<void> {
    const { rate, duration } = this.options;
    const startedAt = performance.now();
    const ticks = (duration * 1000) / TICK_MS;
    for (let tick = 0; tick < ticks; tick++) {
      const second = Math.floor((tick * TICK_MS) / 1000);
      // In the middle of the interval, so that bursts are spread evenly over the thirds of the run.
      const isBurst = second % BURST.intervalSeconds === BURST.intervalSeconds / 2;
      this.sendTick(Math.round((rate * (isBurst ? BURST.factor : 1) * TICK_MS) / 1000));
      await wait(Math.max(0, startedAt + (tick + 1) * TICK_MS - performance.now()));
    }
    await Promise.all(this.inFlight);
  }

  private sendTick(count: number): void {
    this.events += count;
    const sent = Array.from({ length: count }, () => this.nextEvent());
    for (const one of sent.splice(0, SINGLES_PER_TICK)) this.post([one], one.event);
    while (sent.length > 0) {
      const many = sent.splice(0, MAX_ARRAY_SIZE);
      this.post(
        many,
        many.map(({ event }) => event),
      );
    }
  }

  private nextEvent(): Sent {
    const { random } = this.options;
    if (this.recent.length > 0 && random.chance(DUPLICATE_SHARE)) return { event: random.of(this.recent) };
    const session_id = `${this.ledger.prefix}${this.ledger.sent}`;
    if (random.chance(INVALID_SHARE)) {
      const [fields, code] = random.of(INVALID_FIELDS);
      return { event: anEvent({ session_id, ...fields }), code };
    }
    const event = anEvent({ session_id, data: { path: `/products/${random.next()}`, tags: ['ü', '𝄞'] } });
    this.ledger.noteSent(event);
    return { event };
  }

  private post(sent: Sent[], body: unknown): void {
    const request = this.eye
      .post('/events/', body)
      .then((response) => this.recordResponse(sent, response))
      .catch((error: Error) => void this.faults.add(`no response: ${error.message}`))
      .finally(() => this.inFlight.delete(request));
    this.inFlight.add(request);
  }

  private recordResponse(sent: Sent[], { status, body, took }: EyeResponse): void {
    this.latencies.push(took);
    const invalid = sent.filter(({ code }) => code !== undefined);
    const valid = sent.filter(({ code }) => code === undefined);
    const expected = valid.length > 0 ? 202 : 400;
    const ids: string[] = status === 202 ? (body.ids ?? [body.id]) : [];
    if (status !== expected) this.faults.add(`${status} instead of ${expected}: ${JSON.stringify(body)}`);
    else if (ids.length !== valid.length) this.faults.add(`accepted ${ids.length} of ${valid.length}`);
    else {
      valid.forEach(({ event }, index) => this.recordAccepted(ids[index] as string, event));
      for (const { code = '' } of invalid) this.refused.set(code, (this.refused.get(code) ?? 0) + 1);
    }
  }

  private recordAccepted(id: string, event: SentEvent): void {
    this.ledger.noteAcknowledged(id, event);
    // Keeps a mix of recent and old events.
    if (this.recent.length < 10_000) this.recent.push(event);
    else this.recent[this.ledger.acknowledged % 10_000] = event;
  }
}
