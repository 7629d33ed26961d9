import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Gauge } from 'prom-client';
import { environment } from '../../platform/config/environment.js';
import { registry } from '../../platform/telemetry/metrics.js';
import { BacklogReport } from '../../queue/backlog-report.js';
import { Backlog } from '../../queue/backlog.js';

/** Gauges of the backlog, which all processes share. Their values are read when Prometheus asks. */
@Injectable()
export class BacklogMetrics implements OnModuleInit {
  constructor(
    private readonly backlog: Backlog,
    private readonly report: BacklogReport,
  ) {}

  onModuleInit(): void {
    const { backlog, report } = this;
    const registers = [registry];
    new Gauge({
      name: 'the_eye_backlog_events',
      help: 'Events in Redis that are not stored yet, of all processes together.',
      registers,
      collect() {
        this.set(backlog.items);
      },
    });
    new Gauge({
      name: 'the_eye_backlog_limit_events',
      help: 'Backlog at which new events are rejected with 503.',
      registers,
    }).set(environment.BACKLOG_LIMIT);
    new Gauge({
      name: 'the_eye_backlog_delayed_jobs',
      help: 'Jobs that wait for another attempt, such as those of parked events; the last known value while Redis is away.',
      registers,
      async collect() {
        await report.read().then(
          ({ delayed }) => this.set(delayed),
          () => undefined,
        );
      },
    });
    new Gauge({
      name: 'the_eye_backlog_oldest_seconds',
      help: 'Age of the oldest unfinished job; the last known value while Redis is away.',
      registers,
      async collect() {
        await report.read().then(
          ({ oldest }) => this.set(oldest === undefined ? 0 : Math.max(Date.now() - oldest, 0) / 1000),
          () => undefined,
        );
      },
    });
  }
}
