import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { environment } from '../platform/config/environment.js';
import { isOutage, isRowRejection } from '../platform/database/database-errors.js';
import { metrics } from '../platform/telemetry/metrics.js';
import type { NewRejection } from '../platform/model/rejection.js';
import { RejectionCounts } from './rejection-counts.js';
import { type RejectionRow, textsOf, toRow } from './rejection-row.js';
import { type RejectionsBatch, RejectionsRepository } from './rejections.repository.js';

/** Milliseconds between two writes. */
const INTERVAL = 500;

/** Rejections that may wait to be written; while PostgreSQL is away, more are counted only. */
const WAITING = 1000;

/** Milliseconds that a process that stops waits for its last write. */
const LAST_WRITE = 2000;

/**
 * Takes note of what was refused, off the hot path: of everything how often, and of each application so many examples a
 * second. A flood costs as many rows as a trickle; what it is of is in the counts.
 */
@Injectable()
export class RejectionsRecorder implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger('RejectionsRecorder');
  private readonly counts = new RejectionCounts();
  private rows: RejectionRow[] = [];
  /** Examples taken of each application in the present second. */
  private readonly taken = new Map<string, number>();
  private second = 0;
  /** Under way, or in doubt after PostgreSQL did not answer: written again as it is, under its own id. */
  private batch: RejectionsBatch | undefined;
  private writing: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly repository: RejectionsRepository) {}

  /** Returns at once. */
  record(rejection: NewRejection, now = Date.now()): void {
    const { application, code, event, observed } = rejection;
    const { category, name } = textsOf(event);
    this.counts.add({ application, code, category: category ?? '', name: name ?? '' }, now);
    if (!observed) metrics.refused(code);
    if (this.mayKeep(application, now))
      this.rows.push(toRow(rejection, observed ? 'observed' : 'refused', now));
  }

  onModuleInit(): void {
    this.schedule();
  }

  /** After the last request was answered, and before the connections to PostgreSQL are closed. */
  async onApplicationShutdown(): Promise<void> {
    clearTimeout(this.timer);
    await Promise.race([this.flush().then(() => this.flush()), wait(LAST_WRITE, undefined, { ref: false })]);
  }

  /** Writes what was gathered; what cannot be written now waits. */
  flush(): Promise<void> {
    this.writing ??= this.write().finally(() => (this.writing = undefined));
    return this.writing;
  }

  private schedule(): void {
    this.timer = setTimeout(() => void this.flush().finally(() => this.schedule()), INTERVAL).unref();
  }

  private async write(): Promise<void> {
    const batch = (this.batch ??= this.gather());
    if (batch === undefined) return;
    try {
      await this.repository.write(batch);
      this.batch = undefined;
    } catch (error) {
      if (isOutage(error)) return;
      this.logger.error(`Rejections could not be written: ${String(error)}`);
      // Whatever PostgreSQL refuses must not keep all others from being written. The counts hold the least.
      if (isRowRejection(error)) this.batch = batch.rows.length > 0 ? { ...batch, rows: [] } : undefined;
    }
  }

  private gather(): RejectionsBatch | undefined {
    const counts = this.counts.take();
    if (counts.length === 0) return undefined;
    const { rows } = this;
    this.rows = [];
    return { id: randomUUID(), rows, counts };
  }

  private mayKeep(application: string, now: number): boolean {
    const second = Math.floor(now / 1000);
    if (second !== this.second) this.taken.clear();
    this.second = second;
    const taken = this.taken.get(application) ?? 0;
    const waiting = this.rows.length + (this.batch?.rows.length ?? 0);
    if (taken >= environment.REJECTIONS_SAMPLE || waiting >= WAITING) return false;
    this.taken.set(application, taken + 1);
    return true;
  }
}
