import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { PeriodicTask } from '../platform/async/periodic-task.js';
import { environment } from '../platform/config/environment.js';
import { failureKindOf } from '../platform/database/database-errors.js';
import type { NewRejection } from '../platform/model/rejection.js';
import { metrics } from '../platform/telemetry/metrics.js';
import { RejectionCounts } from './rejection-counts.js';
import { type RejectionRow, textsOf, toRow } from './rejection-row.js';
import { type RejectionsBatch, RejectionsRepository } from './rejections.repository.js';

const FLUSH_INTERVAL_MS = 500;

/** Rows that may wait to be written. While PostgreSQL is unavailable, further rejections are only counted. */
const MAX_WAITING_ROWS = 1000;

/** How often a batch may fail for a reason that is neither an outage nor a refusal. */
const MAX_FAILURES = 20;

/** Milliseconds that a stopping process waits for its last batch. */
const LAST_FLUSH_TIMEOUT_MS = 2000;

/**
 * Records refused events off the hot path: it counts all of them, and keeps a sample of each second and application. So a
 * flood costs as many rows as a trickle, and the counts say what it consists of.
 */
@Injectable()
export class RejectionsRecorder implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger('RejectionsRecorder');
  private readonly counts = new RejectionCounts();
  private readonly flushTask = new PeriodicTask({
    name: 'flush rejections',
    // Rejections are rare: without any, nothing wakes the process.
    intervalMs: Infinity,
    run: async () => {
      await this.flush();
      return this.batch === undefined && this.counts.isEmpty ? undefined : FLUSH_INTERVAL_MS;
    },
  });
  private rows: RejectionRow[] = [];
  /** Rows sampled of each application in the current second. */
  private readonly sampled = new Map<string, number>();
  private second = 0;
  /** The batch that is being written, or whose response was lost. It is written again unchanged, under its own id. */
  private batch: RejectionsBatch | undefined;
  /** How often the batch has failed for an unknown reason. */
  private failures = 0;
  private writing: Promise<void> | undefined;

  constructor(private readonly repository: RejectionsRepository) {}

  /** Returns at once. @param now milliseconds since 1970 */
  record(rejection: NewRejection, now = Date.now()): void {
    const { application, code, event, texts, observed } = rejection;
    const { category, name } = textsOf(texts ?? event);
    this.counts.add({ application, code, category: category ?? '', name: name ?? '' }, now);
    if (!observed) metrics.refused(code, application);
    if (this.takeSample(application, now))
      this.rows.push(toRow(rejection, observed ? 'observed' : 'refused', now));
    this.flushTask.wake(FLUSH_INTERVAL_MS);
  }

  onModuleInit(): void {
    this.flushTask.start(FLUSH_INTERVAL_MS);
  }

  /** Runs after the last response was sent, and before the connections to PostgreSQL close. */
  async onApplicationShutdown(): Promise<void> {
    const flushed = this.flushTask
      .stop()
      .then(() => this.flush())
      .then(() => this.flush());
    await Promise.race([flushed, sleep(LAST_FLUSH_TIMEOUT_MS, undefined, { ref: false })]);
  }

  /** Writes what is recorded. What cannot be written now is kept for the next time. */
  flush(): Promise<void> {
    this.writing ??= this.write().finally(() => (this.writing = undefined));
    return this.writing;
  }

  private async write(): Promise<void> {
    const batch = (this.batch ??= this.takeBatch());
    if (batch === undefined) return;
    try {
      await this.repository.write(batch);
      this.batch = undefined;
      this.failures = 0;
    } catch (error) {
      const kind = failureKindOf(error);
      if (kind === 'outage') return;
      const failures = kind === 'refusal' ? MAX_FAILURES : ++this.failures;
      if (failures < MAX_FAILURES) return;
      this.logger.error(`Rejections could not be written: ${String(error)}`);
      // Rows that PostgreSQL refuses must not block the others. Counts contain the least that it could refuse.
      this.batch = batch.rows.length > 0 ? { ...batch, rows: [] } : undefined;
      this.failures = 0;
    }
  }

  private takeBatch(): RejectionsBatch | undefined {
    const counts = this.counts.take();
    if (counts.length === 0) return undefined;
    const { rows } = this;
    this.rows = [];
    return { id: randomUUID(), rows, counts };
  }

  /** @returns whether the rejection belongs to the sample */
  private takeSample(application: string, now: number): boolean {
    const second = Math.floor(now / 1000);
    if (second !== this.second) this.sampled.clear();
    this.second = second;
    const sampled = this.sampled.get(application) ?? 0;
    const waiting = this.rows.length + (this.batch?.rows.length ?? 0);
    if (sampled >= environment.REJECTIONS_SAMPLE || waiting >= MAX_WAITING_ROWS) return false;
    this.sampled.set(application, sampled + 1);
    return true;
  }
}
