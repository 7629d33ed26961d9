import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { DatabaseUnavailableError } from '../platform/database/database-errors.js';
import type { StoredEvent } from '../platform/model/event.js';
import { EventsRepository } from './events.repository.js';

const POLL_INTERVAL_MS = 20;

/**
 * Waits until events are stored, by whichever process. All waiting requests share one query at a time, so a thousand of
 * them cost PostgreSQL no more than one.
 */
@Injectable()
export class StoredEventsPoller implements OnModuleDestroy {
  /** Number of requests that wait for an event, by its id. */
  private readonly waiters = new Map<string, number>();
  private readonly found = new Map<string, StoredEvent>();
  private polling: Promise<void> | undefined;
  private stopping = false;

  constructor(private readonly repository: EventsRepository) {}

  /** The events that are stored already. None while PostgreSQL is unavailable or does not respond within `timeoutMs`. */
  async lookUp(ids: string[], timeoutMs: number): Promise<Map<string, StoredEvent>> {
    return (await withTimeout(timeoutMs, this.find(ids))) ?? new Map<string, StoredEvent>();
  }

  /** The events once all of them are stored; undefined after `timeoutMs`. */
  async waitFor(ids: string[], timeoutMs: number): Promise<Map<string, StoredEvent> | undefined> {
    const deadline = Date.now() + timeoutMs;
    for (const id of ids) this.waiters.set(id, (this.waiters.get(id) ?? 0) + 1);
    try {
      while (Date.now() < deadline && !this.stopping) {
        this.polling ??= this.poll().finally(() => (this.polling = undefined));
        await withTimeout(deadline - Date.now(), this.polling);
        if (ids.every((id) => this.found.has(id)))
          return new Map(ids.map((id) => [id, this.found.get(id) as StoredEvent]));
      }
      return undefined;
    } finally {
      for (const id of ids) this.release(id);
    }
  }

  /** Waiting requests are answered that their events are queued, which is true. */
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

  private async poll(): Promise<void> {
    await sleep(POLL_INTERVAL_MS);
    const missing = [...this.waiters.keys()].filter((id) => !this.found.has(id));
    if (missing.length === 0) return;
    for (const [id, event] of await this.find(missing)) if (this.waiters.has(id)) this.found.set(id, event);
  }

  private release(id: string): void {
    const waiters = (this.waiters.get(id) ?? 1) - 1;
    if (waiters > 0) {
      this.waiters.set(id, waiters);
      return;
    }
    this.waiters.delete(id);
    this.found.delete(id);
  }
}

/** The result of a promise, or undefined if it takes longer than `timeoutMs`. */
async function withTimeout<Result>(timeoutMs: number, promise: Promise<Result>): Promise<Result | undefined> {
  const timer = new AbortController();
  try {
    return await Promise.race([promise, sleep(timeoutMs, undefined, { signal: timer.signal })]);
  } finally {
    timer.abort();
  }
}
