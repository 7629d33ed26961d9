import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { setTimeout as wait } from 'node:timers/promises';
import { DatabaseUnavailableError } from '../platform/database/database-errors.js';
import { EventsRepository, type StoredEvent } from './events.repository.js';

/** Milliseconds between two looks for events that somebody waits for. */
const INTERVAL = 20;

/**
 * Tells when events have been stored, by whichever process. All who wait share one query at a time, so that a thousand
 * of them cost PostgreSQL no more than one.
 */
@Injectable()
export class StoredEvents implements OnModuleDestroy {
  private readonly wanted = new Map<string, number>();
  private readonly seen = new Map<string, StoredEvent>();
  private looking: Promise<void> | undefined;
  private stopping = false;

  constructor(private readonly repository: EventsRepository) {}

  /** Those of the events that are stored by now; none while PostgreSQL is away, or silent for `patience` milliseconds. */
  async lookUp(ids: string[], patience: number): Promise<Map<string, StoredEvent>> {
    return (await within(patience, this.find(ids))) ?? new Map<string, StoredEvent>();
  }

  /** The events once all of them are stored, or undefined when `patience` milliseconds pass before. */
  async waitFor(ids: string[], patience: number): Promise<Map<string, StoredEvent> | undefined> {
    const end = Date.now() + patience;
    for (const id of ids) this.wanted.set(id, (this.wanted.get(id) ?? 0) + 1);
    try {
      while (Date.now() < end && !this.stopping) {
        this.looking ??= this.look().finally(() => (this.looking = undefined));
        await within(end - Date.now(), this.looking);
        if (ids.every((id) => this.seen.has(id))) {
          return new Map(ids.map((id) => [id, this.seen.get(id) as StoredEvent]));
        }
      }
      return undefined;
    } finally {
      for (const id of ids) this.forget(id);
    }
  }

  /** Who still waits is told that the events are queued, which is true. */
  onModuleDestroy(): void {
    this.stopping = true;
  }

  private async find(ids: string[]): Promise<Map<string, StoredEvent>> {
    try {
      return new Map((await this.repository.findByIds(ids)).map((event) => [event.id, event]));
    } catch (error) {
      if (error instanceof DatabaseUnavailableError) return new Map();
      throw error;
    }
  }

  private async look(): Promise<void> {
    await wait(INTERVAL);
    const missing = [...this.wanted.keys()].filter((id) => !this.seen.has(id));
    if (missing.length === 0) return;
    for (const [id, event] of await this.find(missing)) if (this.wanted.has(id)) this.seen.set(id, event);
  }

  private forget(id: string): void {
    const waiters = (this.wanted.get(id) ?? 1) - 1;
    if (waiters > 0) {
      this.wanted.set(id, waiters);
      return;
    }
    this.wanted.delete(id);
    this.seen.delete(id);
  }
}

/** What a promise resolves to, or undefined where that takes more than so many milliseconds. */
async function within<Result>(milliseconds: number, promise: Promise<Result>): Promise<Result | undefined> {
  const timer = new AbortController();
  try {
    return await Promise.race([promise, wait(milliseconds, undefined, { signal: timer.signal })]);
  } finally {
    timer.abort();
  }
}
