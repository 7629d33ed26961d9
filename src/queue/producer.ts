import { InjectQueue } from '@nestjs/bull';
import { Injectable } from '@nestjs/common';
import type { Job, JobOptions, Queue } from 'bull';
import { ReplyError } from 'ioredis';
import { environment } from '../platform/config/environment.js';
import { RedisUnavailableError } from '../platform/redis/redis-errors.js';
import { RedisHealth } from '../platform/redis/redis-health.js';
import { metrics } from '../platform/telemetry/metrics.js';
import { currentTraceparent, traced } from '../platform/telemetry/tracing.js';
import { Backlog } from './backlog.js';
import { Batcher } from './batcher.js';
import { BacklogFullError } from './queue-errors.js';
import { BATCH_JOB, CAPPED_BACKOFF, INGESTION_QUEUE, MAX_BATCH_SIZE, UNLIMITED } from './queue.constants.js';

/** Traces that a job names at most, although it may hold the items of a thousand requests. */
const MAX_TRACES = 32;

const UNAVAILABLE = 'Redis is not available right now; nothing was accepted.';
const REFUSED = 'Redis refused the events; nothing was accepted.';
const UNCONFIRMED =
  'Redis did not confirm in time, so the events may have been accepted. Send them again: events with timestamps are stored once.';

/** Options of a job. They include the number of its items, so that a worker knows it without parsing them. */
export interface BatchJobOptions extends JobOptions {
  items: number;
  /** The `traceparent`s of requests whose items the job holds, MAX_TRACES at most. */
  traces?: string[];
}

/** The items of one call of `add`, and the span that made it. */
interface TracedItems {
  readonly items: readonly unknown[];
  readonly traceparent: string | undefined;
}

/**
 * Puts items into jobs by group commit: while Redis writes and fsyncs one batch, concurrent calls wait together for the
 * next.
 */
@Injectable()
export class Producer {
  private readonly batcher = new Batcher<TracedItems>({
    commit: (calls) => this.commit(calls),
    cost: ({ items }) => items.length,
    maxCost: MAX_BATCH_SIZE,
    maxConcurrent: 2,
    timeout: { afterMs: environment.REDIS_TIMEOUT, error: (inFlight) => this.timeoutError(inFlight) },
  });

  constructor(
    @InjectQueue(INGESTION_QUEUE) private readonly queue: Queue,
    private readonly backlog: Backlog,
    private readonly redis: RedisHealth,
  ) {}

  /**
   * Resolves once all items are in Redis and, if Redis is durable, on its disk. Either all items are queued or none.
   * @param items JSON values
   * @throws RedisUnavailableError within REDIS_TIMEOUT; its message says whether the outcome is unknown
   * @throws BacklogFullError
   */
  async add(items: readonly unknown[]): Promise<void> {
    if (!this.redis.available) throw new RedisUnavailableError(UNAVAILABLE);
    if (this.backlog.full) throw new BacklogFullError();
    await traced('queue events', { kind: 'producer' }, () =>
      this.batcher.add({ items, traceparent: currentTraceparent() }),
    );
  }

  private timeoutError(inFlight: boolean): RedisUnavailableError {
    this.redis.trip();
    return new RedisUnavailableError(inFlight ? UNCONFIRMED : UNAVAILABLE);
  }

  private async commit(calls: TracedItems[]): Promise<void> {
    const items = calls.flatMap((call) => call.items);
    const traces = calls.flatMap(({ traceparent }) => traceparent ?? []).slice(0, MAX_TRACES);
    const batches = [];
    for (let start = 0; start < items.length; start += MAX_BATCH_SIZE)
      batches.push(items.slice(start, start + MAX_BATCH_SIZE));
    let jobs: Job[];
    try {
      jobs = await this.queue.addBulk(
        batches.map((data) => ({ name: BATCH_JOB, data, opts: jobOptions(data.length, traces) })),
      );
    } catch (error) {
      throw new RedisUnavailableError(error instanceof ReplyError ? REFUSED : UNCONFIRMED, { cause: error });
    }
    // Bull ignores errors of the commands inside its transaction; a job without an id was not added.
    if (jobs.some((job) => !job.id)) throw new RedisUnavailableError(REFUSED);
    this.backlog.count(items.length);
    metrics.accepted(items.length);
  }
}

function jobOptions(items: number, traces: string[]): BatchJobOptions {
  return {
    items,
    ...(traces.length > 0 && { traces }),
    attempts: UNLIMITED,
    backoff: { type: CAPPED_BACKOFF },
    removeOnComplete: true,
    // The JSON text of a job goes to PostgreSQL unchanged.
    preventParsingData: true,
  };
}
