import { InjectQueue, Process, Processor } from '@nestjs/bull';
import {
  type BeforeApplicationShutdown,
  Logger,
  type OnModuleDestroy,
  type OnModuleInit,
} from '@nestjs/common';
import type { Job, Queue } from 'bull';
import { setTimeout as sleep } from 'node:timers/promises';
import { PeriodicTask } from '../platform/async/periodic-task.js';
import { retryForever } from '../platform/async/retry-forever.js';
import {
  describeCause,
  sqlState,
  type FailureKind,
  failureKindOf,
} from '../platform/database/database-errors.js';
import { Database } from '../platform/database/database.js';
import { fieldsOf, type NewEvent } from '../platform/model/event.js';
import type { NewRejection } from '../platform/model/rejection.js';
import { RedisUnavailableError } from '../platform/redis/redis-errors.js';
import { metrics } from '../platform/telemetry/metrics.js';
import { type SpanOptions, traced } from '../platform/telemetry/tracing.js';
import { Backlog } from '../queue/backlog.js';
import { entryOfJob, parkedOptions } from '../queue/batch-job.js';
import { arrayOf, type Entry } from '../queue/entry.js';
import { IngestionBuffer } from '../queue/ingestion-buffer.js';
import { BATCH_JOB, INGESTION_QUEUE, MAX_BATCH_SIZE, ORDER_JOB } from '../queue/queue.constants.js';
import { RejectionsRepository } from '../rejections/rejections.repository.js';
import { EventsRepository } from './events.repository.js';
import { StreamPublisher } from './stream/stream.publisher.js';

/** Two statements keep PostgreSQL busy while the next one is on its way; more would only wait for each other. */
const MAX_CONCURRENT_STATEMENTS = 2;

/**
 * Milliseconds from the start of a small statement to that of the next one. Small statements cost most an event, so the next one
 * waits until more events have come; less long while a sender waits for them (`Prefer: wait`).
 */
const STATEMENT_INTERVAL_MS = 100;
const AWAITED_STATEMENT_INTERVAL_MS = 25;

/** Milliseconds before another attempt to reach Redis. */
const MAX_REDIS_BACKOFF_MS = 500;

/** How often a batch that fails for an unknown reason is tried as a whole, before its events are tried apart. */
const MAX_UNKNOWN_FAILURES = 4;

/** What the log says of a failure, unless PostgreSQL failed. */
const PROBLEMS: Partial<Record<FailureKind, string>> = {
  outage: 'PostgreSQL is unavailable',
  fault: 'The worker failed',
};

/** Kinds of failure that say nothing of the event that was being written. */
const OF_THE_SERVER: readonly FailureKind[] = ['outage', 'conflict', 'misconfiguration', 'fault'];

/** Milliseconds after which an event that can be neither stored nor dead-lettered is tried again. */
const PARKED_MS = 60_000;

/**
 * Stores what is in the buffer, for as long as there is something. An entry leaves Redis when all its events are in PostgreSQL
 * or, if PostgreSQL refused one, dead-lettered among the rejections. While PostgreSQL is unavailable, an order waits in place
 * for as long as it takes. An event that can be neither stored nor dead-lettered is parked in a delayed job of its own, so that
 * others go on.
 */
@Processor(INGESTION_QUEUE)
export class EventsProcessor implements OnModuleInit, OnModuleDestroy, BeforeApplicationShutdown {
  private readonly logger = new Logger('EventsProcessor');
  private readonly stopping = new AbortController();
  private readonly sweeping = new PeriodicTask({
    name: 'look for abandoned events',
    intervalMs: MAX_REDIS_BACKOFF_MS,
    // While Redis is unavailable, RedisHealth says so.
    run: () => this.buffer.sweep().catch(() => undefined),
  });

  constructor(
    @InjectQueue(INGESTION_QUEUE) private readonly queue: Queue,
    private readonly buffer: IngestionBuffer,
    private readonly backlog: Backlog,
    private readonly database: Database,
    private readonly events: EventsRepository,
    private readonly rejections: RejectionsRepository,
    private readonly stream: StreamPublisher,
  ) {}

  /** Empties the buffer. */
  @Process({ name: ORDER_JOB, concurrency: MAX_CONCURRENT_STATEMENTS })
  async process(job: Job): Promise<void> {
    const order = this.buffer.order(String(job.id));
    for (;;) {
      const startedAt = performance.now();
      const { signal } = this.stopping;
      const claim = await this.untilRedisReplies(() => order.claim(signal.aborted ? 0 : MAX_BATCH_SIZE));
      if (!claim) return;
      const { entries, isFull, isFurtherOrderDue, isLeader } = claim;
      if (entries.length === 0) throw signal.reason;
      if (isFurtherOrderDue) void this.buffer.addOrder();
      const items = entries.reduce((sum, entry) => sum + entry.items, 0);
      const parked = await traced('store events', spanOptions(entries), () => this.commit(entries, items));
      for (const { acceptedAt } of entries) metrics.jobDone(Date.now() - acceptedAt);
      const isLast = !isLeader && !isFull;
      const left = await this.untilRedisReplies(() => order.acknowledge(items - parked, isLast));
      if (left === undefined) return;
      this.backlog.note(left);
      if (isLast) return;
      if (!isFull) await this.rest(startedAt + intervalAfter(entries) - performance.now());
    }
  }

  /** Puts the events of a job of an earlier version, and a parked one whose time has come, into the buffer. They are counted already. */
  @Process({ name: BATCH_JOB, concurrency: 0 })
  async unpack(job: Job<string>): Promise<void> {
    await this.buffer.append([entryOfJob(job)], 0);
  }

  onModuleInit(): void {
    this.sweeping.start();
  }

  /** Orders that wait for PostgreSQL return to the queue. */
  async onModuleDestroy(): Promise<void> {
    this.stopping.abort(new Error('The worker is stopping; another one takes this order.'));
    await this.sweeping.stop();
  }

  /** Finishes the statements under way and takes no further events. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.queue.pause(true).catch(() => undefined);
    await this.stream.flush();
  }

  private async rest(milliseconds: number): Promise<void> {
    if (milliseconds <= 0) return;
    await sleep(milliseconds, undefined, { signal: this.stopping.signal }).catch(() => undefined);
  }

  /** Repeats a command to Redis until it replies. A job that failed instead would be taken up only after its lock has expired. */
  private untilRedisReplies<Reply>(command: () => Promise<Reply>): Promise<Reply> {
    const { signal } = this.stopping;
    return retryForever(command, {
      signal,
      maxBackoffMs: MAX_REDIS_BACKOFF_MS,
      onFailure: () => {
        if (signal.aborted) throw signal.reason;
      },
    });
  }

  /** @returns how many of the events were parked */
  private commit(entries: readonly Entry[], size: number): Promise<number> {
    const batch = arrayOf(entries);
    const { signal } = this.stopping;
    let unknownFailures = 0;
    return retryForever(
      async () => {
        await this.database.ready;
        return this.store(batch, size, unknownFailures >= MAX_UNKNOWN_FAILURES);
      },
      {
        signal,
        onFailure: (error, backoffMs) => {
          if (signal.aborted) throw signal.reason;
          const kind = failureKindOf(error);
          if (kind === 'unknown') unknownFailures++;
          const problem = PROBLEMS[kind] ?? 'PostgreSQL failed';
          const reason =
            error instanceof RedisUnavailableError ? error.message : `${problem} (${describeCause(error)}).`;
          this.logger.warn(`${reason} Events stay in Redis; next attempt in ${backoffMs} ms.`);
        },
      },
    );
  }

  /**
   * Stores a batch. One that PostgreSQL refuses is halved until each refused event is alone.
   * @returns how many events were parked
   * @param tryApart whether to halve it after an error of unknown meaning, too
   * @throws DatabaseUnavailableError, and errors that say nothing of an event
   */
  private async store(batch: string, size: number, tryApart: boolean): Promise<number> {
    try {
      const { stored, ids, byApplication } = await this.events.insert(batch, this.stream.hasSubscribers);
      metrics.stored(stored, size - stored);
      for (const { application, sent, added } of byApplication)
        metrics.storedOf(application, added, sent - added);
      this.stream.publish(batch, ids);
      return 0;
    } catch (error) {
      const kind = failureKindOf(error);
      if (!(await this.concernsEvents(kind, tryApart))) throw error;
      const events = JSON.parse(batch) as NewEvent[];
      const [first] = events;
      if (events.length <= 1) {
        if (!first) return 0;
        return await (kind === 'unplaced'
          ? this.park(first, error as Error)
          : this.deadLetter(first, error as Error));
      }
      const middle = Math.ceil(events.length / 2);
      const parked = await this.store(JSON.stringify(events.slice(0, middle)), middle, tryApart);
      const rest = await this.store(JSON.stringify(events.slice(middle)), events.length - middle, tryApart);
      return parked + rest;
    }
  }

  /** Whether an error is about events of the batch. Without a refusal, the proof is that an ordinary event can be stored. */
  private async concernsEvents(kind: FailureKind, tryApart: boolean): Promise<boolean> {
    if (kind === 'refusal') return true;
    return (kind === 'unplaced' || (kind === 'unknown' && tryApart)) && (await this.events.canStore());
  }

  /**
   * Dead-letters an event: with its texts, else in ASCII. If PostgreSQL refuses both, it is parked.
   * @returns how many events were parked
   */
  private async deadLetter(event: NewEvent, error: Error): Promise<number> {
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
        return 0;
      } catch (cause) {
        if (OF_THE_SERVER.includes(failureKindOf(cause))) throw cause;
        if (ascii) return this.park(event, cause as Error);
      }
    }
    return 0;
  }

  /** Puts an event into a delayed job of its own. After a crash before its entry is acknowledged, it is in both. @returns 1 */
  private async park(event: NewEvent, error: Error): Promise<number> {
    const { id } = await this.queue
      .add(BATCH_JOB, `[${JSON.stringify(event)}]`, parkedOptions(PARKED_MS))
      .catch((cause: unknown) => {
        throw new RedisUnavailableError('Redis cannot take back an event.', { cause });
      });
    if (!id) throw new RedisUnavailableError('Redis refuses to take back an event.');
    this.logger.error(
      `PostgreSQL can neither store nor dead-letter event ${event.id} (${describeCause(error)}). ` +
        `It stays in Redis; next attempt in ${PARKED_MS / 1000} s.`,
    );
    return 1;
  }
}

function intervalAfter(entries: readonly Entry[]): number {
  return entries.some(({ isAwaited }) => isAwaited) ? AWAITED_STATEMENT_INTERVAL_MS : STATEMENT_INTERVAL_MS;
}

function spanOptions(entries: readonly Entry[]): SpanOptions {
  const requests = entries.flatMap(({ traces }) => traces);
  return { kind: 'consumer', attributes: { 'messaging.batch.message_count': entries.length }, requests };
}
