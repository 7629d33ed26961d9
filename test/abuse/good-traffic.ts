import { readFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { bearer } from '../../testing/keys.js';
import { anEvent, type TheEye } from '../../testing/the-eye.js';
import { Ledger, type SentEvent } from '../support/ledger.js';

export interface GoodKeys {
  ingest: string;
  read: string;
}

/** The measurements of good callers. Durations are in milliseconds. */
export interface Experience {
  sends: number[];
  /** Of what PostgreSQL answers. */
  reads: number[];
  /** Of what ClickHouse answers, which has a lower priority than the other processes of the machine. */
  questions: number[];
  /** Responses that good callers must not get, e.g. `503 busy to POST /events/`, with their number. */
  failures: Map<string, number>;
  /** Peak of the resident memory of The Eye, in mebibytes. */
  memory: number;
}

const SEND_INTERVAL_MS = 50;
const READ_INTERVAL_MS = 250;
const HEALTH_INTERVAL_MS = 500;

/** The failure of a request without a response. */
export const NO_RESPONSE = 'no response';

/** A request without a response after this time has failed, and counts with this duration. */
const TIMEOUT_MS = 10_000;

/** What the good reader asks in turn. PostgreSQL answers what begins with `/events/`. */
const QUESTIONS = [
  '/events/?page_size=20',
  '/statistics/events/?interval=minute&group_by=category',
  '/statistics/top/',
  '/sessions/',
];

/**
 * A sender of 20 single events a second, a reader of four questions a second, and a probe of the readiness. Requests start
 * on schedule, whether or not the earlier ones have ended, so a blocked process shows in all of them.
 */
export class GoodTraffic {
  private readonly ledger = new Ledger();
  private readonly questions: string[];

  constructor(
    private readonly eye: TheEye,
    private readonly keys: GoodKeys,
    question?: string,
  ) {
    this.questions = question === undefined ? QUESTIONS : [question, ...QUESTIONS];
  }

  /** Runs until `during` has ended, and then waits for the last responses. */
  async measure(during: Promise<unknown>): Promise<Experience> {
    const experience: Experience = { sends: [], reads: [], questions: [], failures: new Map(), memory: 0 };
    let isOver = false;
    const over = during.finally(() => (isOver = true));
    const repeat = async (intervalMs: number, act: (turn: number) => Promise<void>): Promise<void> => {
      const startedAt = performance.now();
      const pending: Promise<void>[] = [];
      for (let turn = 0; !isOver; turn++) {
        pending.push(act(turn));
        await wait(Math.max(0, startedAt + (turn + 1) * intervalMs - performance.now()));
      }
      await Promise.all(pending);
    };
    await Promise.all([
      over,
      repeat(SEND_INTERVAL_MS, () => this.send(experience)),
      repeat(READ_INTERVAL_MS, (turn) => this.read(turn, experience)),
      repeat(HEALTH_INTERVAL_MS, () => this.probe(experience)),
    ]);
    return experience;
  }

  /** Compares what was acknowledged with what is stored, once the queue is empty. */
  account(): ReturnType<Ledger['account']> {
    return this.ledger.account(this.eye);
  }

  private async send(experience: Experience): Promise<void> {
    const event: SentEvent = anEvent({
      session_id: `${this.ledger.prefix}${this.ledger.sent}`,
      timestamp: new Date().toISOString().replace('Z', '000Z'),
    });
    this.ledger.noteSent(event);
    const body = await this.request(
      'POST',
      '/events/',
      202,
      this.keys.ingest,
      experience,
      experience.sends,
      event,
    );
    if (body !== undefined) this.ledger.noteAcknowledged(body.id, event);
  }

  private async read(turn: number, experience: Experience): Promise<void> {
    const question = this.questions[turn % this.questions.length] as string;
    const durations = question.startsWith('/events/') ? experience.reads : experience.questions;
    await this.request('GET', question, 200, this.keys.read, experience, durations);
  }

  private async probe(experience: Experience): Promise<void> {
    experience.memory = Math.max(experience.memory, await residentMemory(this.eye.process.pid));
    await this.request('GET', '/health/ready', 200, undefined, experience, []);
  }

  /** @returns the body of an expected response */
  private async request(
    method: 'GET' | 'POST',
    path: string,
    expected: number,
    key: string | undefined,
    { failures }: Experience,
    durations: number[],
    event?: unknown,
  ): Promise<any> {
    const startedAt = performance.now();
    const note = (what: string): void => {
      const failure = `${what} to ${method} ${path.split('?')[0]}`;
      failures.set(failure, (failures.get(failure) ?? 0) + 1);
    };
    const init = { signal: AbortSignal.timeout(TIMEOUT_MS), headers: key === undefined ? {} : bearer(key) };
    try {
      const { status, body } =
        method === 'POST'
          ? await this.eye.post(path, event, init.headers, { signal: init.signal })
          : await this.eye.request(method, path, init);
      if (status === expected) return body;
      note(`${status} ${body.code ?? ''}`);
    } catch (error) {
      note((error as Error).name === 'TimeoutError' ? NO_RESPONSE : 'a connection error');
    } finally {
      durations.push(performance.now() - startedAt);
    }
  }
}

/** Mebibytes. Linux only. */
async function residentMemory(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1024;
}
