import { Injectable, Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { PeriodicTask } from '../platform/async/periodic-task.js';
import { retryForever } from '../platform/async/retry-forever.js';
import { Database } from '../platform/database/database.js';
import { EventTypes } from './event-types.cache.js';
import { EventTypesRepository, type EventTypeVersion } from './event-types.repository.js';

/** Milliseconds between two queries for changes by other processes. */
const REFRESH_INTERVAL_MS = 1000;

/** The same while no events arrive. The first one that does brings the next query forward. */
const IDLE_REFRESH_INTERVAL_MS = 5000;

/** Loads the event types at the start and then refreshes the cache. While PostgreSQL is away, the cache stays as it is. */
@Injectable()
export class EventTypesRefresher implements OnModuleInit, OnModuleDestroy {
  private readonly logger = new Logger('EventTypes');
  private readonly stopped = new AbortController();
  private resolveReady: () => void;
  /** Resolves when the event types are loaded. */
  readonly ready = new Promise<void>((resolve) => (this.resolveReady = resolve));
  /** When the newest cached change was made. */
  private changedAt: string | undefined;
  private failing = false;
  private readonly task = new PeriodicTask({
    name: 'refresh the event types',
    intervalMs: REFRESH_INTERVAL_MS,
    run: async () => {
      this.refreshedAt = performance.now();
      const isInUse = this.types.takeUse();
      await this.refresh().then(this.noteSuccess, this.noteFailure);
      return isInUse ? REFRESH_INTERVAL_MS : IDLE_REFRESH_INTERVAL_MS;
    },
  });
  /** When the last refresh began, in milliseconds of performance.now(). */
  private refreshedAt = -Infinity;

  constructor(
    private readonly database: Database,
    private readonly repository: EventTypesRepository,
    private readonly types: EventTypes,
  ) {}

  onModuleInit(): void {
    this.types.onUse = () =>
      this.task.wake(Math.max(0, this.refreshedAt + REFRESH_INTERVAL_MS - performance.now()));
    // Rejects when the process stops, or when the connection settings are wrong, which bootstrap reports.
    this.start().catch(() => undefined);
  }

  onModuleDestroy(): void {
    this.stopped.abort();
    void this.task.stop();
  }

  private async start(): Promise<void> {
    await this.database.ready;
    await retryForever(() => this.load(), {
      minBackoffMs: REFRESH_INTERVAL_MS,
      maxBackoffMs: REFRESH_INTERVAL_MS,
      signal: this.stopped.signal,
      onFailure: this.noteFailure,
    });
    this.noteSuccess();
    this.resolveReady();
    this.task.start(REFRESH_INTERVAL_MS);
  }

  private async load(): Promise<void> {
    this.update(await this.repository.latestOfAll());
  }

  private async refresh(): Promise<void> {
    for (const change of await this.repository.changesSince(this.changedAt)) {
      if (change.version <= this.types.versionOf(change)) continue;
      const version = await this.repository.latest(change);
      if (version) this.update([version]);
    }
  }

  private update(versions: readonly EventTypeVersion[]): void {
    this.types.update(versions);
    for (const { changed_at } of versions)
      if (this.changedAt === undefined || changed_at > this.changedAt) this.changedAt = changed_at;
  }

  private readonly noteSuccess = (): void => {
    if (this.failing) this.logger.log('The event types are up to date again.');
    this.failing = false;
  };

  private readonly noteFailure = (error: unknown): void => {
    if (!this.failing) this.logger.warn(`The event types cannot be refreshed: ${(error as Error).message}`);
    this.failing = true;
  };
}
