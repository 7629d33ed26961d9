import { Counter } from 'prom-client';
import { registry } from '../platform/telemetry/metrics.js';

const registers = [registry];
const copied = new Counter({
  name: 'the_eye_replication_copied_events_total',
  help: 'Events that this process has copied to ClickHouse; a repeated batch counts again.',
  registers,
});
const removed = new Counter({
  name: 'the_eye_replication_removed_events_total',
  help: 'Events that this process has removed from ClickHouse; a repeated batch counts again.',
  registers,
});

export const replicationMetrics = {
  copied: (events: number): void => copied.inc(events),
  removed: (events: number): void => removed.inc(events),
};
