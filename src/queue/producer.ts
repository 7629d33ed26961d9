import { InjectQueue } from '@nestjs/bull';
import { Injectable } from '@nestjs/common';
import type { Job, JobOptions, Queue } from 'bull';
import { ReplyError } from 'ioredis';
import { environment } from '../platform/config/environment.js';
import { metrics } from '../platform/telemetry/metrics.js';
import { rememberTrace, traced, tracesOf } from '../platform/telemetry/tracing.js';
import { Backlog } from './backlog.js';
import { Batcher } from './batcher.js';
import { BATCH_JOB, MAX_BATCH_SIZE, CAPPED_BACKOFF, INGESTION_QUEUE, UNLIMITED } from './queue.constants.js';
import { BacklogFullError, QueueUnavailableError } from './queue-errors.js';
import { RedisHealth } from '../platform/redis/redis-health.js';

/** Options of a job, with the number of items in it: a worker knows them without parsing. */
export interface BatchJobOptions extends JobOptions {
  items: number;
  /** Some of the traces in which the job's items, and those of its neighbours, were handed over. */
  traces?: string[];
}

/**
 * Puts items into jobs. Concurrent calls are grouped (group commit): while Redis writes and fsyncs one group, the calls
 * that arrive wait together for the next.
 */
@Injectable()
export class Producer {
  private readonly group = new Batcher<readonly unknown[]>({
    commit: (calls) => this.commit(calls),
    cost: (items) => items.length,
    maxCost: MAX_BATCH_SIZE,
    maxConcurrent: 2,
    deadline: { after: environment.REDIS_TIMEOUT, error: (underWay) => this.late(underWay) },
  });

  constructor(
    @InjectQueue(INGESTION_QUEUE) private readonly queue: Queue,
    private readonly backlog: Backlog,
    private readonly redis: RedisHealth,
  ) {}

  /**
   * Resolves once all items are in Redis, and on its disk where it fsyncs. All of them are, or none.
   * @param items JSON values
   * @throws QueueUnavailableError, BacklogFullError, within the deadline of REDIS_TIMEOUT
   */
  async add(items: readonly unknown[]): Promise<void> {
    if (!this.redis.available) throw new QueueUnavailableError();
    if (this.backlog.full) throw new BacklogFullError();
    await traced('queue events', { kind: 'producer' }, () => {
      rememberTrace(items);
      return this.group.add(items);
    });
  }

  private late(underWay: boolean): QueueUnavailableError {
    this.redis.trip();
    return underWay ? QueueUnavailableError.unconfirmed() : new QueueUnavailableError();
  }

  private async commit(calls: (readonly unknown[])[]): Promise<void> {
    const items = calls.flat();
    const traces = tracesOf(calls);
    const batches = [];
    for (let start = 0; start < items.length; start += MAX_BATCH_SIZE)
      batches.push(items.slice(start, start + MAX_BATCH_SIZE));
    try {
      const jobs = await this.queue.addBulk(
        batches.map((data) => ({ name: BATCH_JOB, data, opts: jobOptions(data.length, traces) })),
      );
      // Bull swallows what a command inside its transaction answers; a job without an id was not taken.
      if (jobs.some((job: Job) => !job.id)) throw QueueUnavailableError.refused();
    } catch (error) {
      if (error instanceof QueueUnavailableError) throw error;
      if (error instanceof ReplyError) throw QueueUnavailableError.refused({ cause: error });
      throw QueueUnavailableError.unconfirmed({ cause: error });
    }
    this.backlog.count(items.length);
    metrics.accepted(items.length);
  }
}

function jobOptions(items: number, traces: string[] | undefined): BatchJobOptions {
  return {
    items,
    ...(traces && { traces }),
    attempts: UNLIMITED,
    backoff: { type: CAPPED_BACKOFF },
    removeOnComplete: true,
    // The text of a job goes to PostgreSQL as it is.
    preventParsingData: true,
  };
}
