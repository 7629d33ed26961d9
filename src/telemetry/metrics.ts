import { collectDefaultMetrics, Counter, Histogram, Registry } from 'prom-client';
import { environment } from '../config/environment.js';

/**
 * What this process has done, for Prometheus. Of events it is told in batches, so that counting costs nothing to speak
 * of: an addition a batch, and half a microsecond for each request, job and statement.
 */
export const registry = new Registry();
registry.setDefaultLabels({ role: environment.ROLE });
collectDefaultMetrics({ register: registry });
const registers = [registry];

/** Seconds. From an answer out of memory to the longest that anybody waits. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** Seconds. A job waits for as long as PostgreSQL is away. */
const JOB_BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200, 86_400];

const accepted = new Counter({
  name: 'the_eye_events_accepted_total',
  help: 'Events that were put into the queue.',
  registers,
});
const stored = new Counter({
  name: 'the_eye_events_stored_total',
  help: 'Events that were stored and had not been before.',
  registers,
});
const duplicates = new Counter({
  name: 'the_eye_events_duplicate_total',
  help: 'Events that came out of the queue and were stored already.',
  registers,
});
const refusals = new Map<string, number>();
new Counter({
  name: 'the_eye_events_refused_total',
  help: 'Events that were refused, by the code of the reason; requests that were too large count as one.',
  labelNames: ['code'],
  registers,
  collect() {
    this.reset();
    for (const [code, count] of refusals) this.inc({ code }, count);
  },
});
const jobs = new Histogram({
  name: 'the_eye_job_seconds',
  help: 'From the moment a job is put into the queue to the moment its events are stored.',
  buckets: JOB_BUCKETS,
  registers,
});
const statements = new Histogram({
  name: 'the_eye_statement_seconds',
  help: 'Statements of PostgreSQL, with the wait for a connection; outcome is ok, failed or unavailable.',
  labelNames: ['statement', 'outcome'],
  buckets: BUCKETS,
  registers,
});
const answers = new Histogram({
  name: 'the_eye_http_request_seconds',
  help: 'Requests by the template of their route, from their header to the end of the answer.',
  labelNames: ['method', 'route', 'status'],
  buckets: BUCKETS,
  registers,
});

export type StatementOutcome = 'ok' | 'failed' | 'unavailable';

/** Takes note; each call returns at once. Times are in milliseconds. */
export const metrics = {
  accepted: (events: number): void => accepted.inc(events),
  stored: (events: number): void => stored.inc(events),
  duplicates: (events: number): void => duplicates.inc(events),
  refused: (code: string): void => void refusals.set(code, (refusals.get(code) ?? 0) + 1),
  jobDone: (took: number): void => jobs.observe(took / 1000),
  statementDone: (statement: string, outcome: StatementOutcome, took: number): void =>
    statements.observe({ statement, outcome }, took / 1000),
  answered: (method: string, route: string, status: number, took: number): void =>
    answers.observe({ method, route, status }, took / 1000),
};
