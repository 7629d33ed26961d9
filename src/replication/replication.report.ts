import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Gauge } from 'prom-client';
import { registry } from '../platform/telemetry/metrics.js';
import { type ReplicationStatus, ReplicationStatusRepository } from './replication-status.repository.js';

/** Milliseconds for which a status is good enough, because the log is counted for it. */
const MAX_AGE_MS = 1000;

/** How far the copy in ClickHouse is behind, for metrics, health and questions. */
@Injectable()
export class ReplicationReport implements OnModuleInit {
  private last: { readonly status: Promise<ReplicationStatus>; readonly readAt: number } | undefined;

  constructor(private readonly repository: ReplicationStatusRepository) {}

  onModuleInit(): void {
    const read = (): Promise<ReplicationStatus | undefined> => this.read().catch(() => undefined);
    const registers = [registry];
    new Gauge({
      name: 'the_eye_replication_backlog_events',
      help: 'Stored and removed events that are not copied to ClickHouse yet; the last known value while PostgreSQL is away.',
      registers,
      async collect() {
        const status = await read();
        if (status) this.set(status.backlog_events);
      },
    });
    new Gauge({
      name: 'the_eye_replication_lag_seconds',
      help: 'Seconds by which the copy in ClickHouse is behind PostgreSQL; the last known value while PostgreSQL is away.',
      registers,
      async collect() {
        const status = await read();
        if (status) this.set(status.lag_seconds ?? 0);
      },
    });
    new Gauge({
      name: 'the_eye_replication_complete',
      help: 'Whether there is a complete copy of all events in ClickHouse: 1 or 0.',
      registers,
      async collect() {
        const status = await read();
        if (status) this.set(status.as_of === null ? 0 : 1);
      },
    });
  }

  /** The status, at most MAX_AGE_MS old. @throws DatabaseUnavailableError */
  read(): Promise<ReplicationStatus> {
    const now = performance.now();
    if (!this.last || now - this.last.readAt > MAX_AGE_MS)
      this.last = { status: this.repository.status(), readAt: now };
    return this.last.status;
  }
}
