import { InjectQueue, Process, Processor } from '@nestjs/bull';
import { type BeforeApplicationShutdown, Logger, type OnModuleDestroy } from '@nestjs/common';
import type { Job, Queue } from 'bull';
import { setTimeout as wait } from 'node:timers/promises';
import { DatabaseUnavailableError, isOutage, isRefusal, sqlState } from '../database/database-errors.js';
import { Database } from '../database/database.js';
import { LivePublisher } from '../live/live.publisher.js';
import { Pulse } from '../pulse/pulse.js';
import { Backlog } from '../queue/backlog.js';
import { GroupCommit } from '../queue/group-commit.js';
import type { BatchJobOptions } from '../queue/producer.js';
import { BATCH_JOB, BATCH_SIZE, INGESTION_QUEUE } from '../queue/queue.constants.js';
import { RejectionsRepository } from '../rejections/rejections.repository.js';
import { fieldsOf, type NewEvent } from './event/new-event.js';
import { EventsRepository } from './events.repository.js';

/** Jobs that are fetched at once: small ones share a statement, and Redis is asked for the next while PostgreSQL works. */
const JOBS = 16;

/** Statements at once. Two keep PostgreSQL busy while the next is on its way; more only wait for one another. */
const STATEMENTS = 2;

const LONGEST_PAUSE = 5000;

/**
 * Stores the events of jobs. A job is done once all its events are in PostgreSQL or, where PostgreSQL refused one, set
 * aside among the rejections. While PostgreSQL is away a job waits in place, for as long as it takes.
 */
@Processor(INGESTION_QUEUE)
export class EventsProcessor implements OnModuleDestroy, BeforeApplicationShutdown {
  private readonly logger = new Logger('EventsProcessor');
  private readonly stopping = new AbortController();
  private readonly group = new GroupCommit<Job<string>>({
    commit: (jobs) => this.commit(jobs),
    weigh: itemsOf,
    weight: BATCH_SIZE,
    groups: STATEMENTS,
  });

  constructor(
    @InjectQueue(INGESTION_QUEUE) private readonly queue: Queue,
    private readonly backlog: Backlog,
    private readonly database: Database,
    private readonly events: EventsRepository,
    private readonly rejections: RejectionsRepository,
    private readonly live: LivePublisher,
    private readonly pulse: Pulse,
  ) {}

  @Process({ name: BATCH_JOB, concurrency: JOBS })
  async process(job: Job<string>): Promise<void> {
    await this.group.add(job);
    this.backlog.count(-itemsOf(job));
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
          ? 'PostgreSQL is away'
          : `PostgreSQL failed (${sqlState(error)}: ${String(error)})`;
        this.logger.warn(`${reason}; events wait in Redis, trying again in ${pause} ms.`);
        await wait(pause, undefined, { signal: this.stopping.signal });
      }
    }
  }

  /** Halves a batch that PostgreSQL refuses until the events that it refuses stand alone. */
  private async store(batch: string, size: number): Promise<void> {
    try {
      const { stored, ids } = await this.events.insert(batch, this.live.watched);
      this.pulse.stored(stored, size - stored);
      this.live.show(batch, ids);
    } catch (error) {
      if (error instanceof DatabaseUnavailableError || !isRefusal(error)) throw error;
      const events = JSON.parse(batch) as NewEvent[];
      const [first] = events;
      if (events.length <= 1) {
        if (first) await this.setAside(first, error as Error);
        return;
      }
      const middle = Math.ceil(events.length / 2);
      await this.store(JSON.stringify(events.slice(0, middle)), middle);
      await this.store(JSON.stringify(events.slice(middle)), events.length - middle);
    }
  }

  private async setAside(event: NewEvent, error: Error): Promise<void> {
    await this.rejections.setAside({
      application: event.application,
      code: 'refused_by_database',
      errors: { event: [error.message] },
      event: fieldsOf(event),
      eventId: event.id,
      observed: false,
    });
    this.pulse.refused(1);
    this.logger.warn(
      `PostgreSQL refused event ${event.id} (${sqlState(error)}); it is kept among the rejections.`,
    );
  }
}

function itemsOf(job: Job<string>): number {
  return (job.opts as BatchJobOptions).items;
}

/** Joins the texts of JSON arrays that are not empty. */
function concatenate(arrays: string[]): string {
  return `[${arrays.map((array) => array.slice(1, -1)).join(',')}]`;
}
