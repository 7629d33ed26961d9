import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import pLimit from 'p-limit';
import { setTimeout as sleep } from 'node:timers/promises';
import { SharedBudget } from '../platform/async/shared-budget.js';
import { environment } from '../platform/config/environment.js';
import { DatabaseUnavailableError } from '../platform/database/database-errors.js';
import { EventsRepository } from './events.repository.js';

/** Milliseconds between two polls, while events are found or somebody has just begun to wait. */
const MIN_INTERVAL_MS = 20;
const MAX_INTERVAL_MS = 500;

/** A pause is at least so many times as long as the poll before it, so that polling never occupies PostgreSQL. */
const MIN_PAUSE_RATIO = 4;

/** Ids of one statement, so that none of them is long. */
const CHUNK_SIZE = 1000;

const MEBIBYTE = 1024 * 1024;

/** Bytes of the requests that wait in memory, in all and of one key. */
const MAX_WAITING_BYTES = Math.max(64 * MEBIBYTE, 2 * environment.BODY_LIMIT);
const MAX_WAITING_BYTES_PER_KEY = MAX_WAITING_BYTES / 2;

/** A request and an event count as at least these bytes, which also bounds their numbers. */
const MIN_REQUEST_BYTES = 64 * 1024;
const MIN_EVENT_BYTES = 1024;

/** A request that wants to wait. */
export interface WaitRequest {
  /** Id of the sender's key; undefined without one. */
  readonly keyId?: string;
  readonly bytes: number;
  readonly events: number;
}

interface Waiter {
  readonly missing: Set<string>;
  readonly finish: (stored: boolean) => void;
}

/**
 * Waits until events are stored, by whichever process. All waiting requests share one statement at a time, which returns
 * ids only, so a thousand of them cost PostgreSQL little more than one.
 */
@Injectable()
export class StoredEventsPoller implements OnModuleDestroy {
  private readonly logger = new Logger('StoredEventsPoller');
  private readonly budget = new SharedBudget(MAX_WAITING_BYTES, MAX_WAITING_BYTES_PER_KEY);
  private readonly waiters = new Map<string, Set<Waiter>>();
  /** The ids of the next look-up, and that look-up. */
  private dueIds = new Set<string>();
  private dueLookUp: Promise<ReadonlySet<string>> | undefined;
  private readonly oneAtATime = pLimit(1);
  private timer: NodeJS.Timeout | undefined;
  private isPolling = false;
  private intervalMs = MIN_INTERVAL_MS;
  private stopping = false;

  constructor(private readonly repository: EventsRepository) {}

  /**
   * Reserves room for a request that wants to wait.
   * @returns frees the room; undefined if too much waits already, in all or of this key
   */
  reserve({ keyId, bytes, events }: WaitRequest): (() => void) | undefined {
    return this.budget.take(keyId, Math.max(bytes, MIN_REQUEST_BYTES, events * MIN_EVENT_BYTES));
  }

  /** Which of these are stored already. None while PostgreSQL is unavailable or does not respond within `timeoutMs`. */
  async lookUp(ids: readonly string[], timeoutMs: number): Promise<ReadonlySet<string>> {
    for (const id of ids) this.dueIds.add(id);
    this.dueLookUp ??= this.oneAtATime(() => {
      const due = [...this.dueIds];
      this.dueIds = new Set();
      this.dueLookUp = undefined;
      return this.find(due);
    });
    const timer = new AbortController();
    try {
      const timeout = sleep(timeoutMs, new Set<string>(), { signal: timer.signal });
      return await Promise.race([this.dueLookUp, timeout]);
    } finally {
      timer.abort();
    }
  }

  /** Resolves with true once all of these are stored, and with false after `timeoutMs`. */
  waitFor(ids: readonly string[], timeoutMs: number): Promise<boolean> {
    if (this.stopping) return Promise.resolve(false);
    return new Promise((resolve) => {
      const waiter: Waiter = {
        missing: new Set(ids),
        finish: (stored) => {
          clearTimeout(timeout);
          for (const id of waiter.missing) this.forget(id, waiter);
          resolve(stored);
        },
      };
      const timeout = setTimeout(() => waiter.finish(false), timeoutMs);
      for (const id of waiter.missing) {
        const others = this.waiters.get(id);
        if (others) others.add(waiter);
        else this.waiters.set(id, new Set([waiter]));
      }
      // The events of the newest request are probably stored next, and its sender waits from now on.
      this.intervalMs = MIN_INTERVAL_MS;
      if (!this.isPolling) this.schedule(MIN_INTERVAL_MS);
    });
  }

  /** Responds to waiting requests that their events are queued, which is true. */
  onModuleDestroy(): void {
    this.stopping = true;
    clearTimeout(this.timer);
    for (const waiters of [...this.waiters.values()]) for (const { finish } of waiters) finish(false);
  }

  private forget(id: string, waiter: Waiter): void {
    const waiters = this.waiters.get(id);
    waiters?.delete(waiter);
    if (waiters?.size === 0) this.waiters.delete(id);
  }

  private schedule(delayMs: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.poll(), delayMs);
  }

  private async poll(): Promise<void> {
    this.isPolling = true;
    this.intervalMs = Math.min(this.intervalMs * 2, MAX_INTERVAL_MS);
    const startedAt = performance.now();
    const stored = await this.oneAtATime(() => this.find([...this.waiters.keys()])).catch(
      (error: unknown) => {
        this.logger.error(`Could not look for the events that are waited for: ${String(error)}`);
        return new Set<string>();
      },
    );
    if (stored.size > 0) this.intervalMs = MIN_INTERVAL_MS;
    for (const id of stored) this.notify(id);
    this.isPolling = false;
    const pauseMs = MIN_PAUSE_RATIO * (performance.now() - startedAt);
    if (this.waiters.size > 0 && !this.stopping) this.schedule(Math.max(this.intervalMs, pauseMs));
  }

  private notify(id: string): void {
    for (const waiter of this.waiters.get(id) ?? []) {
      waiter.missing.delete(id);
      this.forget(id, waiter);
      if (waiter.missing.size === 0) waiter.finish(true);
    }
  }

  /** Which of these are stored; what was found until PostgreSQL became unavailable. */
  private async find(ids: readonly string[]): Promise<Set<string>> {
    const found = new Set<string>();
    try {
      for (let start = 0; start < ids.length; start += CHUNK_SIZE)
        for (const id of await this.repository.findStored(ids.slice(start, start + CHUNK_SIZE)))
          found.add(id);
    } catch (error) {
      if (!(error instanceof DatabaseUnavailableError)) throw error;
    }
    return found;
  }
}
