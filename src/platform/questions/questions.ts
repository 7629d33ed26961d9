import { Gauge } from 'prom-client';
import { DomainError, type DomainErrorOptions, UnavailableError } from '../errors/domain-error.js';
import { registry } from '../telemetry/metrics.js';
import { Bulkhead, BulkheadFullError, type FullReason, type Release, type Work } from './bulkhead.js';
import { Question } from './question.js';

/** Questions that may wait, in all and of one key. */
const MAX_WAITING = 64;
const MAX_WAITING_PER_KEY = MAX_WAITING / 2;

/**
 * Milliseconds that a question waits for a connection before it is refused. Those to ClickHouse take longer and wait longer,
 * so that sixteen at once are answered one after the other.
 */
const WAIT_TIMEOUT_MS = { PostgreSQL: 2000, ClickHouse: 15_000 };

/** Seconds after which a caller whose question had no turn, or not enough, may ask again. */
export const RETRY_AFTER_SECONDS = 2;

/** The caller that asks, and the quota that pays. */
export interface Asker {
  /** Id of the key; undefined without one. */
  readonly keyId?: string;
  readonly quota?: { charge(points: number): void };
}

export interface AskOptions {
  /** Whether PostgreSQL may work for seconds: such questions leave a connection to the others. */
  readonly isHeavy?: boolean;
  /** For questions whose number is bounded elsewhere: waits this long, also beyond the limit of the queue. */
  readonly queueTimeoutMs?: number;
  /** Aborted when the caller has left: then its statements are cancelled. */
  readonly signal?: AbortSignal;
}

/** Milliseconds of work that cost one point of a key's quota. */
export const MS_PER_POINT = 10;

/** Admission control of questions: everything that reads PostgreSQL or ClickHouse for a caller. */
export class Questions {
  private readonly bulkhead: Bulkhead;

  /**
   * @param connections that serve questions
   * @param server that answers them
   */
  constructor(
    connections: number,
    private readonly server: 'PostgreSQL' | 'ClickHouse' = 'PostgreSQL',
  ) {
    const bulkhead = new Bulkhead({
      slots: connections,
      slotsPerKey: Math.ceil(connections / 2),
      // To ClickHouse, all questions are heavy.
      heavySlots: server === 'ClickHouse' ? connections : Math.max(1, connections - 1),
      maxWaiting: MAX_WAITING,
      maxWaitingPerKey: MAX_WAITING_PER_KEY,
      timeoutMs: WAIT_TIMEOUT_MS[server],
    });
    this.bulkhead = bulkhead;
    const isPostgres = server === 'PostgreSQL';
    new Gauge({
      name: isPostgres ? 'the_eye_questions_waiting' : 'the_eye_clickhouse_questions_waiting',
      help: `Questions that wait for one of the connections ${isPostgres ? 'that serve questions' : 'to ClickHouse'}.`,
      registers: [registry],
      collect() {
        this.set(bulkhead.waiting);
      },
    });
  }

  /**
   * Runs `read` once a connection is free for it, and then charges its cost: one point for each MS_PER_POINT of work.
   * The point for the request itself is taken with the authentication.
   * @throws DomainError `rate_limited` if the share of the key is full, UnavailableError `busy` if all are too many
   */
  async ask<Result>(
    { keyId, quota }: Asker,
    read: () => Promise<Result>,
    options: AskOptions = {},
  ): Promise<Result> {
    const work = { key: keyId, ...options };
    const release = await this.enter(work);
    const question = new Question(() => this.bulkhead.tryEnter(work), options.signal, keyId);
    try {
      return await question.run(read);
    } finally {
      release();
      quota?.charge(Math.floor(question.workedMs / MS_PER_POINT));
    }
  }

  private async enter(work: Work): Promise<Release> {
    try {
      return await this.bulkhead.enter(work);
    } catch (error) {
      throw error instanceof BulkheadFullError ? refusal(error.reason, this.server) : error;
    }
  }
}

/** The caller itself has too many requests in progress. */
export const shareFull = (message: string, options: DomainErrorOptions): DomainError =>
  new DomainError('rate_limited', 'rate_limited', message, options);

function refusal(reason: FullReason, server: string): DomainError {
  const options = { retryAfterSeconds: RETRY_AFTER_SECONDS };
  return reason === 'share'
    ? shareFull('This key asks more questions at once than its share; wait for the answers.', options)
    : new UnavailableError(
        'busy',
        `More questions are asked at once than ${server} can answer in time; try again.`,
        options,
      );
}

/** Admission control of the questions that ClickHouse answers. */
export class ClickHouseQuestions extends Questions {
  constructor(connections: number) {
    super(connections, 'ClickHouse');
  }
}
