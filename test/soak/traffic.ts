import { setTimeout as wait } from 'node:timers/promises';
import { Ledger, type SentEvent } from '../support/ledger.js';
import type { Random } from '../../testing/random.js';
import { anEvent, type Answer, type TheEye } from '../../testing/the-eye.js';

export interface TrafficOptions {
  /** Events a second, bursts apart. */
  rate: number;
  /** Seconds. */
  duration: number;
  random: Random;
}

/** A burst brings so many times the rate, for a second, once in so many seconds. */
const BURST = { factor: 50, intervalSeconds: 30 };

/** Milliseconds between two ticks, in each of which its share of events is sent, whatever became of those before. */
const TICK_MS = 100;

/** Events of a tick that go in requests of their own; the others share one, of no more than so many. */
const SINGLES_PER_TICK = 5;
const MAX_ARRAY_SIZE = 500;

/** Shares of the events. */
const INVALID_SHARE = 0.03;
const DUPLICATE_SHARE = 0.05;

/** What must be refused, and the code that it is refused with. */
const INVALID_FIELDS: readonly (readonly [Record<string, unknown>, string])[] = [
  [{ timestamp: '2021-02-30T09:15:31Z' }, 'invalid_timestamp'],
  [{ timestamp: '2999-01-01T00:00:00Z' }, 'timestamp_in_future'],
  [{ name: undefined }, 'missing_field'],
];

interface Sent {
  event: SentEvent;
  /** The code with which it must be refused. */
  code?: string;
}

/** Events at a steady rate with bursts; some are bad, and some were sent before. */
export class Traffic {
  readonly ledger = new Ledger();
  /** Refused events, by the code that each must have been refused with. */
  readonly refused = new Map<string, number>();
  /** Milliseconds of each answer, in the order in which they came. */
  readonly latencies: number[] = [];
  /** Events in all requests, duplicates and bad ones too. */
  events = 0;
  /** Answers that are not what they must be. */
  readonly faults = new Set<string>();

  private readonly recent: SentEvent[] = [];
  private readonly inFlight = new Set<Promise<void>>();

  constructor(
    private readonly eye: TheEye,
    private readonly options: TrafficOptions,
  ) {}

  /** Resolves when the last request is answered. */
  async run(): Promise<void> {
    const { rate, duration } = this.options;
    const startedAt = performance.now();
    const ticks = (duration * 1000) / TICK_MS;
    for (let tick = 0; tick < ticks; tick++) {
      const second = Math.floor((tick * TICK_MS) / 1000);
      // In the middle of the interval, so that each third of the time has its share of bursts.
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
      .catch((error: Error) => void this.faults.add(`no answer: ${error.message}`))
      .finally(() => this.inFlight.delete(request));
    this.inFlight.add(request);
  }

  private recordResponse(sent: Sent[], { status, body, took }: Answer): void {
    this.latencies.push(took);
    const invalid = sent.filter(({ code }) => code !== undefined);
    const valid = sent.filter(({ code }) => code === undefined);
    const expected = valid.length > 0 ? 202 : 400;
    const ids: string[] = status === 202 ? (body.ids ?? [body.id]) : [];
    if (status !== expected) this.faults.add(`${status} in place of ${expected}: ${JSON.stringify(body)}`);
    else if (ids.length !== valid.length) this.faults.add(`accepted ${ids.length} of ${valid.length}`);
    else {
      valid.forEach(({ event }, index) => this.recordAccepted(ids[index] as string, event));
      for (const { code = '' } of invalid) this.refused.set(code, (this.refused.get(code) ?? 0) + 1);
    }
  }

  private recordAccepted(id: string, event: SentEvent): void {
    this.ledger.noteAcknowledged(id, event);
    // Those that were sent a moment ago, and those of long ago.
    if (this.recent.length < 10_000) this.recent.push(event);
    else this.recent[this.ledger.acknowledged % 10_000] = event;
  }
}
