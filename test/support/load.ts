import { setTimeout as wait } from 'node:timers/promises';
import { type Account, Ledger, type SentEvent } from './ledger.js';
import { Random } from '../../testing/random.js';
import { anEvent, type Event, eventually, type TheEye } from '../../testing/the-eye.js';

export interface LoadOptions {
  /** Requests under way at once. */
  senders?: number;
  /** Events in every second request; the others hold a single one. */
  many?: number;
  /** Milliseconds that a sender rests between two requests, so that a test stays small. */
  pause?: number;
  /** Share of the requests that are sent again, whatever they were answered. */
  again?: number;
  /** Whether a request that is answered 503 is sent again until it is accepted, even after the load is stopped. */
  retries503?: boolean;
  /** For whoever wants the same load twice. */
  random?: Random;
}

/** After so long, a request counts as left hanging. */
const REQUEST_TIMEOUT_MS = 30_000;

/**
 * Senders that post events, one and many at a time, until they are stopped, and remember what they were promised.
 */
export class Load {
  /** Answers by their status. */
  readonly statuses = new Map<number, number>();
  /** Milliseconds of the slowest answer. */
  longest = 0;
  /** Requests whose connection was refused, or broke off before the answer. */
  brokenOff = 0;
  /** Answers that are none of those that may be. */
  readonly faults: string[] = [];
  private readonly ledger = new Ledger();
  private readonly working: Promise<unknown>;
  private readonly again: number;
  private readonly pause: number;
  private readonly random: Random;
  private readonly retries503: boolean;
  private stopped = false;

  private constructor(
    private readonly eyes: readonly TheEye[],
    { senders = 8, many = 10, pause = 5, again = 0, retries503 = false, random = new Random(0) }: LoadOptions,
  ) {
    this.again = again;
    this.pause = pause;
    this.random = random;
    this.retries503 = retries503;
    this.working = Promise.all(Array.from({ length: senders }, (_, index) => this.send(index, many)));
  }

  /** @param eyes whoever takes events; each request goes to one of them */
  static on(eyes: TheEye | readonly TheEye[], options: LoadOptions = {}): Load {
    return new Load([eyes].flat(), options);
  }

  /** Events that were answered 202. */
  get accepted(): number {
    return this.ledger.acknowledged;
  }

  /** Events that were sent, each counted once. */
  get sent(): number {
    return this.ledger.sent;
  }

  /** Begins the session of each event of this load. */
  get prefix(): string {
    return this.ledger.prefix;
  }

  /** Resolves once so many more answers had this status. */
  async answered(status: number, more = 100): Promise<void> {
    const enough = this.count(status) + more;
    await eventually(() => {
      const missing = enough - this.count(status);
      return missing > 0
        ? Promise.reject(new Error(`${missing} answers ${status} are missing.`))
        : Promise.resolve();
    }, 60_000);
  }

  /** Resolves when every request has been answered. */
  async stop(): Promise<void> {
    this.stopped = true;
    await this.working;
  }

  /**
   * Waits for the last answer and for the end of the backlog, and compares.
   * @param eye the one to ask for what is stored
   */
  async account(eye = this.eyes[0] as TheEye): Promise<Account & { examples: Event[] }> {
    await this.stop();
    return this.ledger.account(eye);
  }

  /** Every event that was answered 202 is stored; each once, as it was sent, and none that nobody sent. */
  async expectStored(eye?: TheEye): Promise<void> {
    const { lost, doubled, examples } = await this.account(eye);
    expect({ faults: this.faults.slice(0, 5), lost, doubled, changed: examples }).toEqual({
      faults: [],
      lost: 0,
      doubled: 0,
      changed: [],
    });
    expect(this.accepted).toBeGreaterThan(0);
  }

  private count(status: number): number {
    return this.statuses.get(status) ?? 0;
  }

  private async send(sender: number, many: number): Promise<void> {
    for (let turn = 0; !this.stopped; turn++) {
      const events = Array.from({ length: turn % 2 === 0 ? 1 : many }, (_, index) =>
        this.event(`${sender}-${turn}-${index}`),
      );
      let status: number | undefined;
      do {
        status = await this.post(turn % 2 === 0 ? events[0] : events, events);
        await wait(this.pause);
      } while ((status === 503 && this.retries503) || (!this.stopped && this.random.chance(this.again)));
    }
  }

  private event(name: string): SentEvent {
    const event = anEvent({
      session_id: `${this.ledger.prefix}${name}`,
      data: { name, price: 0.1, text: 'ü 𝄞', deep: [{ nothing: null, yes: true }] },
      timestamp: `2024-02-29T23:59:59.${String(this.ledger.sent % 1_000_000).padStart(6, '0')}Z`,
    });
    this.ledger.noteSent(event);
    return event;
  }

  /** @returns the status, or undefined where there was no answer */
  private async post(body: unknown, events: SentEvent[]): Promise<number | undefined> {
    const init = { signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) };
    const began = performance.now();
    try {
      const {
        status,
        headers,
        body: answer,
      } = await this.random.of(this.eyes).post('/events/', body, {}, init);
      this.statuses.set(status, this.count(status) + 1);
      if (status === 202) {
        const ids: string[] = answer.ids ?? [answer.id];
        ids.forEach((id, index) => this.ledger.noteAcknowledged(id, events[index] as SentEvent));
        if (ids.length !== events.length) this.faults.push(`accepted ${ids.length} of ${events.length}`);
      } else if (status !== 503 || headers.get('retry-after') === null) {
        this.faults.push(`${status} ${JSON.stringify(answer)}`);
      }
      return status;
    } catch (error) {
      if ((error as Error).name === 'TimeoutError') this.faults.push('left hanging');
      else this.brokenOff++;
      return undefined;
    } finally {
      this.longest = Math.max(this.longest, performance.now() - began);
    }
  }
}
