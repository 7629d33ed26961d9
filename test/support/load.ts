import { setTimeout as wait } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { Random } from './random.js';
import { anEvent, type Event, eventually, type TheEye } from './the-eye.js';

export interface LoadOptions {
  /** Requests under way at once. */
  senders?: number;
  /** Events in every second request; the others hold a single one. */
  many?: number;
  /** Milliseconds that a sender rests between two requests, so that a test stays small. */
  pause?: number;
  /** Share of the requests that are sent again, whatever they were answered. */
  again?: number;
  /** For whoever wants the same load twice. */
  random?: Random;
}

/** What was promised, held against what is stored. */
export interface Account {
  /** Events that were answered 202. */
  acknowledged: number;
  /** Rows that hold them, and what was kept although its answer did not arrive. */
  stored: number;
  /** Acknowledged, and not stored. */
  lost: number;
  /** Rows of an event that has another one. */
  doubled: number;
  /** Rows that do not hold what was sent, or hold what nobody sent. */
  changed: number;
}

/** Milliseconds after which a request counts as left hanging. */
const PATIENCE = 10_000;

let loads = 0;

/**
 * Senders that post events, one and many at a time, until they are stopped, and remember what they were promised.
 * Each event has a session of its own, by which it is found again.
 */
export class Load {
  /** Answers by their status. */
  readonly statuses = new Map<number, number>();
  /** Milliseconds of the slowest answer. */
  longest = 0;
  /** Requests that ended without an answer, because The Eye was not there. */
  unanswered = 0;
  /** Answers that are none of those that may be. */
  readonly faults: string[] = [];
  /** Begins the session of each event of this load. */
  readonly prefix = `load-${process.pid}-${loads++}-`;

  private readonly sent = new Map<string, Omit<Event, 'id'>>();
  private readonly acknowledged = new Map<string, string>();
  private readonly working: Promise<unknown>;
  private readonly again: number;
  private readonly pause: number;
  private readonly random: Random;
  private stopped = false;

  private constructor(
    private readonly eyes: readonly TheEye[],
    { senders = 8, many = 10, pause = 5, again = 0, random = new Random(0) }: LoadOptions,
  ) {
    this.again = again;
    this.pause = pause;
    this.random = random;
    this.working = Promise.all(Array.from({ length: senders }, (_, index) => this.send(index, many)));
  }

  /** @param eyes whoever takes events; each request goes to one of them */
  static on(eyes: TheEye | readonly TheEye[], options: LoadOptions = {}): Load {
    return new Load([eyes].flat(), options);
  }

  /** Events that were answered 202. */
  get accepted(): number {
    return this.acknowledged.size;
  }

  /** Resolves once so many more answers had this status. */
  async answered(status: number, more = 100): Promise<void> {
    const enough = this.count(status) + more;
    await eventually(() => {
      const missing = enough - this.count(status);
      return missing > 0
        ? Promise.reject(new Error(`${missing} answers ${status} are missing.`))
        : Promise.resolve();
    }, 20_000);
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
    await eye.drained();
    const rows = await eye.sql<Event>(
      `SELECT id, session_id, category, name, data,
         to_char(timestamp AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS timestamp
       FROM events WHERE session_id LIKE $1`,
      [`${this.prefix}%`],
    );
    const bySession = new Map(rows.map((row) => [row.session_id, row]));
    const lost = [...this.acknowledged].filter(([id, session]) => bySession.get(session)?.id !== id);
    const changed = rows.filter(
      (row) => !isDeepStrictEqual(row, { id: row.id, ...this.sent.get(row.session_id) }),
    );
    return {
      acknowledged: this.accepted,
      stored: rows.length,
      lost: lost.length,
      doubled: rows.length - bySession.size,
      changed: changed.length,
      examples: changed.slice(0, 5),
    };
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
      do {
        await this.post(turn % 2 === 0 ? events[0] : events, events);
        await wait(this.pause);
      } while (!this.stopped && this.random.chance(this.again));
    }
  }

  private event(name: string): Omit<Event, 'id'> {
    const event = anEvent({
      session_id: `${this.prefix}${name}`,
      data: { name, price: 0.1, text: 'ü 𝄞', deep: [{ nothing: null, yes: true }] },
      timestamp: `2024-02-29T23:59:59.${String(this.sent.size % 1_000_000).padStart(6, '0')}Z`,
    });
    this.sent.set(event.session_id, event);
    return event;
  }

  private async post(body: unknown, events: Omit<Event, 'id'>[]): Promise<void> {
    const init = { signal: AbortSignal.timeout(PATIENCE) };
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
        ids.forEach((id, index) => this.acknowledged.set(id, events[index]?.session_id ?? ''));
        if (ids.length !== events.length) this.faults.push(`accepted ${ids.length} of ${events.length}`);
      } else if (status !== 503 || headers.get('retry-after') === null) {
        this.faults.push(`${status} ${JSON.stringify(answer)}`);
      }
    } catch (error) {
      if ((error as Error).name === 'TimeoutError') this.faults.push('left hanging');
      this.unanswered++;
    } finally {
      this.longest = Math.max(this.longest, performance.now() - began);
    }
  }
}
