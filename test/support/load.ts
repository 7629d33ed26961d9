import { setTimeout as wait } from 'node:timers/promises';
import { type Account, Ledger, type SentEvent } from './ledger.js';
import { Random } from '../../testing/random.js';
import { anEvent, type Event, eventually, type TheEye } from '../../testing/the-eye.js';

export interface LoadOptions {
  /** Number of concurrent requests. */
  senders?: number;
  /** Events in every second request; the other requests contain one event. */
  many?: number;
  /** Milliseconds that a sender waits between two requests. Without a pause, the load would take the cores from what is tested. */
  pause?: number;
  /** Share of the requests that are sent again, regardless of their response. */
  again?: number;
  /** Whether a request that gets 503 is sent again until it is accepted, even after the load is stopped. */
  retries503?: boolean;
  /** Source of randomness, for a reproducible load. */
  random?: Random;
}

/** After this time, a request without a response is a fault. */
const REQUEST_TIMEOUT_MS = 30_000;

/**
 * Senders that post single events and lists until they are stopped, and record the acknowledged events.
 */
export class Load {
  /** Number of responses by status. */
  readonly statuses = new Map<number, number>();
  /** Milliseconds of the slowest request. */
  longest = 0;
  /** Requests whose connection was refused, or closed before the response. */
  brokenOff = 0;
  /** Descriptions of unexpected responses and of timeouts. */
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
    {
      senders = 8,
      many = 10,
      pause = 50,
      again = 0,
      retries503 = false,
      random = new Random(0),
    }: LoadOptions,
  ) {
    this.again = again;
    this.pause = pause;
    this.random = random;
    this.retries503 = retries503;
    this.working = Promise.all(Array.from({ length: senders }, (_, index) => this.send(index, many)));
  }

  /** @param eyes the targets; each request goes to a random one */
  static on(eyes: TheEye | readonly TheEye[], options: LoadOptions = {}): Load {
    return new Load([eyes].flat(), options);
  }

  /** Number of events with a 202 response. */
  get accepted(): number {
    return this.ledger.acknowledged;
  }

  /** Events that were sent, each counted once. */
  get sent(): number {
    return this.ledger.sent;
  }

  /** Prefix of every session_id of this load. */
  get prefix(): string {
    return this.ledger.prefix;
  }

  /** Resolves after `more` further responses with this status. */
  async waitForResponses(status: number, more = 100): Promise<void> {
    const target = this.count(status) + more;
    await eventually(() => {
      const missing = target - this.count(status);
      return missing > 0
        ? Promise.reject(new Error(`${missing} responses with status ${status} are missing.`))
        : Promise.resolve();
    }, 60_000);
  }

  /** Stops sending and resolves when no request is pending. */
  async stop(): Promise<void> {
    this.stopped = true;
    await this.working;
  }

  /**
   * Stops, waits until the backlog is empty, and compares.
   * @param eye the instance whose database is read
   */
  async account(eye = this.eyes[0] as TheEye): Promise<Account & { examples: Event[] }> {
    await this.stop();
    return this.ledger.account(eye);
  }

  /** Expects every acknowledged event to be stored once and unchanged, and no row that was never sent. */
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

  /** @returns the status, or undefined without a response */
  private async post(body: unknown, events: SentEvent[]): Promise<number | undefined> {
    const init = { signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) };
    const startedAt = performance.now();
    try {
      const {
        status,
        headers,
        body: responseBody,
      } = await this.random.of(this.eyes).post('/events/', body, {}, init);
      this.statuses.set(status, this.count(status) + 1);
      if (status === 202) {
        const ids: string[] = responseBody.ids ?? [responseBody.id];
        // A type that changes while a list is read lets a part of it pass.
        const rejected: { index: number; errors: unknown }[] = responseBody.rejected ?? [];
        const refusedAt = new Set(rejected.map(({ index }) => index));
        const accepted = events.filter((_, index) => !refusedAt.has(index));
        ids.forEach((id, index) => this.ledger.noteAcknowledged(id, accepted[index] as SentEvent));
        if (ids.length !== accepted.length)
          this.faults.push(`accepted ${ids.length} of ${events.length}, refused ${refusedAt.size}`);
        for (const { errors } of rejected) this.faults.push(`refused in a list ${JSON.stringify(errors)}`);
      } else if (status !== 503 || headers.get('retry-after') === null) {
        this.faults.push(`${status} ${JSON.stringify(responseBody)}`);
      }
      return status;
    } catch (error) {
      if ((error as Error).name === 'TimeoutError') this.faults.push('left hanging');
      else this.brokenOff++;
      return undefined;
    } finally {
      this.longest = Math.max(this.longest, performance.now() - startedAt);
    }
  }
}
