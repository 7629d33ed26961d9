import { Injectable, Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { setTimeout as wait } from 'node:timers/promises';
import { Database } from '../platform/database/database.js';
import { EventTypes } from './event-types.registry.js';
import { EventTypesRepository } from './event-types.repository.js';

/** Milliseconds between two looks at what other processes have changed. */
const INTERVAL = 1000;

/** Loads the event types at start and keeps them as they are in PostgreSQL; while that is away, as they were. */
@Injectable()
export class EventTypesFeed implements OnModuleInit, OnModuleDestroy {
  private readonly logger = new Logger('EventTypes');
  private readonly stopped = new AbortController();
  private resolveReady: () => void;
  /** Resolves once the types are known. */
  readonly ready = new Promise<void>((resolve) => (this.resolveReady = resolve));
  /** When the newest change that is known was made. */
  private newest: string | undefined;
  private failing = false;

  constructor(
    private readonly database: Database,
    private readonly repository: EventTypesRepository,
    private readonly types: EventTypes,
  ) {}

  onModuleInit(): void {
    // It ends when the process stops, or when the settings of PostgreSQL are wrong, which others report.
    this.follow().catch(() => undefined);
  }

  onModuleDestroy(): void {
    this.stopped.abort();
  }

  private async follow(): Promise<void> {
    const { signal } = this.stopped;
    await this.database.ready;
    await this.untilItWorks(() => this.load());
    this.resolveReady();
    for (;;) {
      await wait(INTERVAL, undefined, { signal, ref: false });
      await this.untilItWorks(() => this.catchUp());
    }
  }

  private async load(): Promise<void> {
    this.learn(await this.repository.latestOfAll());
  }

  private async catchUp(): Promise<void> {
    for (const change of await this.repository.changesSince(this.newest)) {
      if (change.version <= this.types.versionOf(change)) continue;
      const version = await this.repository.latest(change);
      if (version) this.learn([version]);
    }
  }

  private learn(versions: Parameters<EventTypes['learn']>[0]): void {
    this.types.learn(versions);
    for (const { changed_at } of versions)
      if (this.newest === undefined || changed_at > this.newest) this.newest = changed_at;
  }

  private async untilItWorks(attempt: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        await attempt();
        if (this.failing) this.logger.log('The event types are up to date again.');
        this.failing = false;
        return;
      } catch (error) {
        if (!this.failing)
          this.logger.warn(`The event types stay as they are known here: ${(error as Error).message}`);
        this.failing = true;
      }
      await wait(INTERVAL, undefined, { signal: this.stopped.signal, ref: false });
    }
  }
}
