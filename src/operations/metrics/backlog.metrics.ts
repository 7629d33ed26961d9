import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Gauge } from 'prom-client';
import { environment } from '../../platform/config/environment.js';
import { registry } from '../../platform/telemetry/metrics.js';
import { Backlog } from '../../queue/backlog.js';
import { IngestionBuffer } from '../../queue/ingestion-buffer.js';

/** Gauges of the backlog, which all processes share. Their values are read when Prometheus asks. */
@Injectable()
export class BacklogMetrics implements OnModuleInit {
  constructor(
    private readonly backlog: Backlog,
    private readonly buffer: IngestionBuffer,
  ) {}

  onModuleInit(): void {
    const { backlog, buffer } = this;
    const registers = [registry];
    // Prometheus reads all gauges at the same moment.
    let reading: ReturnType<IngestionBuffer['report']> | undefined;
    const report = (): ReturnType<IngestionBuffer['report']> =>
      (reading ??= buffer.report().finally(() => (reading = undefined)));
    new Gauge({
      name: 'the_eye_backlog_events',
      help: 'Events in Redis that are not stored yet, of all processes together.',
      registers,
      async collect() {
        this.set(await backlog.count());
      },
    });
    new Gauge({
      name: 'the_eye_backlog_limit_events',
      help: 'Backlog at which new events are refused with 503.',
      registers,
    }).set(environment.BACKLOG_LIMIT);
    new Gauge({
      name: 'the_eye_backlog_delayed_jobs',
      help: 'Jobs that wait for another attempt, such as those of parked events; the last known value while Redis is away.',
      registers,
      async collect() {
        await report().then(
          ({ delayed }) => this.set(delayed),
          () => undefined,
        );
      },
    });
    new Gauge({
      name: 'the_eye_backlog_oldest_seconds',
      help: 'Age of the oldest event that is not stored yet; the last known value while Redis is away.',
      registers,
      async collect() {
        await report().then(
          ({ oldest }) => this.set(oldest === undefined ? 0 : Math.max(Date.now() - oldest, 0) / 1000),
          () => undefined,
        );
      },
    });
  }
}
