import { InjectQueue, Process, Processor } from '@nestjs/bull';
import { type BeforeApplicationShutdown, Logger, type OnModuleDestroy } from '@nestjs/common';
import type { Job, Queue } from 'bull';
import { retryForever } from '../platform/async/retry-forever.js';
import { describeCause, sqlState, type Verdict, verdictOf } from '../platform/database/database-errors.js';
import { Database } from '../platform/database/database.js';
import { fieldsOf, type NewEvent } from '../platform/model/event.js';
import type { NewRejection } from '../platform/model/rejection.js';
import { RedisUnavailableError } from '../platform/redis/redis-errors.js';
import { metrics } from '../platform/telemetry/metrics.js';
import { type SpanOptions, traced } from '../platform/telemetry/tracing.js';
import { Backlog } from '../queue/backlog.js';
import { Batcher } from '../queue/batcher.js';
import { type BatchJobOptions, jobData, jobOptions, textOfJob } from '../queue/producer.js';
import { BATCH_JOB, batchCost, INGESTION_QUEUE, MAX_BATCH_SIZE } from '../queue/queue.constants.js';
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

/** How often a batch that fails for an unknown reason is tried as a whole, before its events are tried apart. */
const MAX_UNKNOWN_FAILURES = 4;

/** Verdicts that say nothing of the event that was being written. */
const OF_THE_SERVER: readonly Verdict[] = ['outage', 'conflict', 'misconfiguration'];

/** Milliseconds after which an event that can be neither stored nor dead-lettered is tried again. */
const PARKED_MS = 60_000;

/**
 * Stores the events of jobs. A job is done when all its events are in PostgreSQL or, if PostgreSQL refused one,
 * dead-lettered among the rejections. While PostgreSQL is unavailable, a job waits in place for as long as it takes. An
 * event that can be neither stored nor dead-lettered is parked in a delayed job of its own, so that others go on.
 */
@Processor(INGESTION_QUEUE)
export class EventsProcessor implements OnModuleDestroy, BeforeApplicationShutdown {
  private readonly logger = new Logger('EventsProcessor');
  private readonly stopping = new AbortController();
  private readonly batcher = new Batcher<Job<string>>({
    commit: (jobs) => traced('store events', spanOptions(jobs), () => this.commit(jobs)),
    // Six jobs of any size make a full batch, because no further job can arrive.
    cost: (job) =>
      Math.max(batchCost(itemsOf(job), job.data.length), Math.ceil(MAX_BATCH_SIZE / MAX_CONCURRENT_JOBS)),
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
    const batch = jobs.length === 1 && first ? textOfJob(first) : concatenate(jobs.map(textOfJob));
    const size = jobs.reduce((sum, job) => sum + itemsOf(job), 0);
    const { signal } = this.stopping;
    let unknownFailures = 0;
    return retryForever(
      async () => {
        await this.database.ready;
        await this.store(batch, size, unknownFailures >= MAX_UNKNOWN_FAILURES);
      },
      {
        signal,
        onFailure: (error, backoffMs) => {
          if (signal.aborted) throw signal.reason;
          const verdict = verdictOf(error);
          if (verdict === 'unknown') unknownFailures++;
          const problem = verdict === 'outage' ? 'PostgreSQL is unavailable' : 'PostgreSQL failed';
          const reason =
            error instanceof RedisUnavailableError ? error.message : `${problem} (${describeCause(error)}).`;
          this.logger.warn(`${reason} Events stay in Redis; next attempt in ${backoffMs} ms.`);
        },
      },
    );
  }

  /**
   * Stores a batch. One that PostgreSQL refuses is halved until each refused event is alone.
   * @param tryApart whether to halve it after an error of unknown meaning, too
   * @throws DatabaseUnavailableError, and errors that say nothing of an event
   */
  private async store(batch: string, size: number, tryApart: boolean): Promise<void> {
    try {
      const { stored, ids, byApplication } = await this.events.insert(batch, this.stream.hasSubscribers);
      metrics.stored(stored, size - stored);
      for (const { application, sent, added } of byApplication)
        metrics.storedOf(application, added, sent - added);
      this.stream.publish(batch, ids);
    } catch (error) {
      const verdict = verdictOf(error);
      if (!(await this.concernsEvents(verdict, tryApart))) throw error;
      const events = JSON.parse(batch) as NewEvent[];
      const [first] = events;
      if (events.length <= 1) {
        if (first && verdict === 'unplaced') await this.park(first, error as Error);
        else if (first) await this.deadLetter(first, error as Error);
        return;
      }
      const middle = Math.ceil(events.length / 2);
      await this.store(JSON.stringify(events.slice(0, middle)), middle, tryApart);
      await this.store(JSON.stringify(events.slice(middle)), events.length - middle, tryApart);
    }
  }

  /** Whether an error is about events of the batch. Without a refusal, the proof is that an ordinary event can be stored. */
  private async concernsEvents(verdict: Verdict, tryApart: boolean): Promise<boolean> {
    if (verdict === 'refusal') return true;
    return (verdict === 'unplaced' || (verdict === 'unknown' && tryApart)) && (await this.events.canStore());
  }

  /** Dead-letters an event: with its texts, else in ASCII. If PostgreSQL refuses both, it is parked. */
  private async deadLetter(event: NewEvent, error: Error): Promise<void> {
    const rejection: NewRejection = {
      application: event.application,
      code: 'refused_by_database',
      errors: { event: [error.message] },
      event: fieldsOf(event),
      eventId: event.id,
      observed: false,
    };
    for (const ascii of [false, true]) {
      try {
        await this.rejections.deadLetter(rejection, { ascii });
        metrics.refused('refused_by_database', event.application);
        this.logger.warn(
          `PostgreSQL refused event ${event.id} (${sqlState(error)}); it is dead-lettered among the rejections.`,
        );
        return;
      } catch (cause) {
        if (OF_THE_SERVER.includes(verdictOf(cause))) throw cause;
        if (ascii) await this.park(event, cause as Error);
      }
    }
  }

  /** Puts an event into a delayed job of its own. A crash before its first job is done leaves both; one row comes of them. */
  private async park(event: NewEvent, error: Error): Promise<void> {
    const options = { ...jobOptions(1), delay: PARKED_MS };
    const data = jobData([JSON.stringify(event)]);
    const { id } = await this.queue.add(BATCH_JOB, data, options).catch((cause: unknown) => {
      throw new RedisUnavailableError('Redis cannot take back an event.', { cause });
    });
    if (!id) throw new RedisUnavailableError('Redis refuses to take back an event.');
    this.backlog.count(1);
    this.logger.error(
      `PostgreSQL can neither store nor dead-letter event ${event.id} (${describeCause(error)}). ` +
        `It stays in Redis; next attempt in ${PARKED_MS / 1000} s.`,
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
