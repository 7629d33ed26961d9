import { InjectQueue, Process, Processor } from '@nestjs/bull';
import { type BeforeApplicationShutdown, Logger, type OnModuleDestroy } from '@nestjs/common';
import type { Job, Queue } from 'bull';
import { retryForever } from '../platform/async/retry-forever.js';
import {
  DatabaseUnavailableError,
  describeCause,
  isOutage,
  isRowRejection,
  sqlState,
} from '../platform/database/database-errors.js';
import { Database } from '../platform/database/database.js';
import { fieldsOf, type NewEvent } from '../platform/model/event.js';
import { metrics } from '../platform/telemetry/metrics.js';
import { type SpanOptions, traced } from '../platform/telemetry/tracing.js';
import { Backlog } from '../queue/backlog.js';
import { Batcher } from '../queue/batcher.js';
import type { BatchJobOptions } from '../queue/producer.js';
import { BATCH_JOB, INGESTION_QUEUE, MAX_BATCH_SIZE } from '../queue/queue.constants.js';
import { RejectionsRepository } from '../rejections/rejections.repository.js';
import { EventsRepository } from './events.repository.js';
import { StreamPublisher } from './stream/stream.publisher.js';

/**
 * Jobs fetched at once: small ones share a statement, and large ones are ready while PostgreSQL works. More than these
 * would cost Redis: a worker that finds the queue empty needs twice the commands for its next job.
 */
const MAX_CONCURRENT_JOBS = 6;

/** Two statements keep PostgreSQL busy while the next one is on its way; more would only wait for each other. */
const MAX_CONCURRENT_STATEMENTS = 2;

/** Small statements cost PostgreSQL a fifth more an event, so a statement that is not full waits this long. */
const MIN_STATEMENT_INTERVAL_MS = 25;

/**
 * Stores the events of jobs. A job is done when all its events are in PostgreSQL or, if PostgreSQL refused one,
 * dead-lettered among the rejections. While PostgreSQL is unavailable, a job waits in place for as long as it takes.
 */
@Processor(INGESTION_QUEUE)
export class EventsProcessor implements OnModuleDestroy, BeforeApplicationShutdown {
  private readonly logger = new Logger('EventsProcessor');
  private readonly stopping = new AbortController();
  private readonly batcher = new Batcher<Job<string>>({
    commit: (jobs) => traced('store events', spanOptions(jobs), () => this.commit(jobs)),
    // Six jobs of any size make a full batch, because no further job can arrive.
    cost: (job) => Math.max(itemsOf(job), Math.ceil(MAX_BATCH_SIZE / MAX_CONCURRENT_JOBS)),
    maxCost: MAX_BATCH_SIZE,
    maxConcurrent: MAX_CONCURRENT_STATEMENTS,
    minIntervalMs: MIN_STATEMENT_INTERVAL_MS,
  });

  constructor(
    @InjectQueue(INGESTION_QUEUE) private readonly queue: Queue,
    private readonly backlog: Backlog,
    private readonly database: Database,
    private readonly events: EventsRepository,
    private readonly rejections: RejectionsRepository,
    private readonly stream: StreamPublisher,
  ) {}

  @Process({ name: BATCH_JOB, concurrency: MAX_CONCURRENT_JOBS })
  async process(job: Job<string>): Promise<void> {
    await this.batcher.add(job);
    this.backlog.count(-itemsOf(job));
    metrics.jobDone(Date.now() - job.timestamp);
  }

  /** Jobs that wait for PostgreSQL return to the queue. */
  onModuleDestroy(): void {
    this.stopping.abort(new Error('The worker is stopping; another one takes this job.'));
  }

  /** Finishes the statements under way and takes no further jobs. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.queue.pause(true).catch(() => undefined);
    await this.stream.flush();
  }

  private commit(jobs: Job<string>[]): Promise<void> {
    const [first] = jobs;
    const batch = jobs.length === 1 && first ? first.data : concatenate(jobs.map(({ data }) => data));
    const size = jobs.reduce((sum, job) => sum + itemsOf(job), 0);
    const { signal } = this.stopping;
    return retryForever(
      async () => {
        await this.database.ready;
        await this.store(batch, size);
      },
      {
        signal,
        onFailure: (error, backoffMs) => {
          if (signal.aborted) throw signal.reason;
          const reason = isOutage(error)
            ? `PostgreSQL is unavailable (${describeCause(error)})`
            : `PostgreSQL failed (${sqlState(error)}: ${String(error)})`;
          this.logger.warn(`${reason}. Events stay in Redis; next attempt in ${backoffMs} ms.`);
        },
      },
    );
  }

  /** Halves a batch that PostgreSQL refuses until each refused event is alone. */
  private async store(batch: string, size: number): Promise<void> {
    try {
      const { stored, ids } = await this.events.insert(batch, this.stream.hasSubscribers);
      metrics.stored(stored, size - stored);
      this.stream.publish(batch, ids);
    } catch (error) {
      if (error instanceof DatabaseUnavailableError || !isRowRejection(error)) throw error;
      const events = JSON.parse(batch) as NewEvent[];
      const [first] = events;
      if (events.length <= 1) {
        if (first) await this.deadLetter(first, error as Error);
        return;
      }
      const middle = Math.ceil(events.length / 2);
      await this.store(JSON.stringify(events.slice(0, middle)), middle);
      await this.store(JSON.stringify(events.slice(middle)), events.length - middle);
    }
  }

  private async deadLetter(event: NewEvent, error: Error): Promise<void> {
    await this.rejections.deadLetter({
      application: event.application,
      code: 'refused_by_database',
      errors: { event: [error.message] },
      event: fieldsOf(event),
      eventId: event.id,
      observed: false,
    });
    metrics.refused('refused_by_database');
    this.logger.warn(
      `PostgreSQL refused event ${event.id} (${sqlState(error)}); it is dead-lettered among the rejections.`,
    );
  }
}

function itemsOf(job: Job<string>): number {
  return (job.opts as BatchJobOptions).items;
}

function spanOptions(jobs: Job<string>[]): SpanOptions {
  const requests = jobs.flatMap(({ opts }) => (opts as BatchJobOptions).traces ?? []);
  return { kind: 'consumer', attributes: { 'messaging.batch.message_count': jobs.length }, requests };
}

/** Joins the texts of non-empty JSON arrays into one, without parsing them. */
function concatenate(arrays: string[]): string {
  return `[${arrays.map((array) => array.slice(1, -1)).join(',')}]`;
}
