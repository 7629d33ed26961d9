import { InjectQueue, Process, Processor } from '@nestjs/bull';
import { type BeforeApplicationShutdown, Logger, type OnModuleDestroy } from '@nestjs/common';
import type { Job, Queue } from 'bull';
import { setTimeout as wait } from 'node:timers/promises';
import {
  DatabaseUnavailableError,
  isOutage,
  isRowRejection,
  describeCause,
  sqlState,
} from '../platform/database/database-errors.js';
import { Database } from '../platform/database/database.js';
import { StreamPublisher } from './stream/stream.publisher.js';
import { Backlog } from '../queue/backlog.js';
import { Batcher } from '../queue/batcher.js';
import type { BatchJobOptions } from '../queue/producer.js';
import { BATCH_JOB, MAX_BATCH_SIZE, INGESTION_QUEUE } from '../queue/queue.constants.js';
import { RejectionsRepository } from '../rejections/rejections.repository.js';
import { metrics } from '../platform/telemetry/metrics.js';
import { type SpanOptions, traced } from '../platform/telemetry/tracing.js';
import { fieldsOf, type NewEvent } from '../platform/model/event.js';
import { EventsRepository } from './events.repository.js';

/**
 * Jobs that are fetched at once: small ones share a statement, and large ones wait at hand while PostgreSQL works. Few, so
 * that one that is done finds the next in the queue: a job that has to be waited for costs Redis twice the commands.
 */
const JOBS = 6;

/** Statements at once. Two keep PostgreSQL busy while the next is on its way; more only wait for one another. */
const STATEMENTS = 2;

/** Milliseconds from one statement to the next that is not full: small statements cost PostgreSQL a fifth more an event. */
const REST = 25;

const LONGEST_PAUSE = 5000;

/**
 * Stores the events of jobs. A job is done once all its events are in PostgreSQL or, where PostgreSQL refused one, set
 * aside among the rejections. While PostgreSQL is away a job waits in place, for as long as it takes.
 */
@Processor(INGESTION_QUEUE)
export class EventsProcessor implements OnModuleDestroy, BeforeApplicationShutdown {
  private readonly logger = new Logger('EventsProcessor');
  private readonly stopping = new AbortController();
  private readonly group = new Batcher<Job<string>>({
    commit: (jobs) => traced('store events', spanOf(jobs), () => this.commit(jobs)),
    // Where no job is left to come, the group is full.
    cost: (job) => Math.max(itemsOf(job), Math.ceil(MAX_BATCH_SIZE / JOBS)),
    maxCost: MAX_BATCH_SIZE,
    maxConcurrent: STATEMENTS,
    minIntervalMs: REST,
  });

  constructor(
    @InjectQueue(INGESTION_QUEUE) private readonly queue: Queue,
    private readonly backlog: Backlog,
    private readonly database: Database,
    private readonly events: EventsRepository,
    private readonly rejections: RejectionsRepository,
    private readonly live: StreamPublisher,
  ) {}

  @Process({ name: BATCH_JOB, concurrency: JOBS })
  async process(job: Job<string>): Promise<void> {
    await this.group.add(job);
    this.backlog.count(-itemsOf(job));
    metrics.jobDone(Date.now() - job.timestamp);
  }

  /** What waits for PostgreSQL goes back into the queue. */
  onModuleDestroy(): void {
    this.stopping.abort(new Error('The worker is stopping; another one takes this job.'));
  }

  /** Finishes the statements under way and takes no more jobs. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.queue.pause(true).catch(() => undefined);
    await this.live.flush();
  }

  private async commit(jobs: Job<string>[]): Promise<void> {
    const batch =
      jobs.length === 1 ? (jobs[0] as Job<string>).data : concatenate(jobs.map(({ data }) => data));
    const size = jobs.reduce((sum, job) => sum + itemsOf(job), 0);
    for (let pause = 100; ; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
      try {
        await this.database.ready;
        return await this.store(batch, size);
      } catch (error) {
        if (this.stopping.signal.aborted) throw this.stopping.signal.reason;
        const reason = isOutage(error)
          ? `PostgreSQL is away (${describeCause(error)})`
          : `PostgreSQL failed (${sqlState(error)}: ${String(error)})`;
        this.logger.warn(`${reason}; events wait in Redis, trying again in ${pause} ms.`);
        await wait(pause, undefined, { signal: this.stopping.signal });
      }
    }
  }

  /** Halves a batch that PostgreSQL refuses until the events that it refuses stand alone. */
  private async store(batch: string, size: number): Promise<void> {
    try {
      const { stored, ids } = await this.events.insert(batch, this.live.hasSubscribers);
      metrics.stored(stored, size - stored);
      this.live.publish(batch, ids);
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
      `PostgreSQL refused event ${event.id} (${sqlState(error)}); it is kept among the rejections.`,
    );
  }
}

function itemsOf(job: Job<string>): number {
  return (job.opts as BatchJobOptions).items;
}

function spanOf(jobs: Job<string>[]): SpanOptions {
  const requests = jobs.flatMap(({ opts }) => (opts as BatchJobOptions).traces ?? []);
  return { kind: 'consumer', attributes: { 'messaging.batch.message_count': jobs.length }, requests };
}

/** Joins the texts of JSON arrays that are not empty. */
function concatenate(arrays: string[]): string {
  return `[${arrays.map((array) => array.slice(1, -1)).join(',')}]`;
}
