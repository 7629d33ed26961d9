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

/** What is counted of events, in the order in which it happens to them. */
export const COUNTED = ['accepted', 'stored', 'duplicates', 'refused'] as const;
export type EventCounts = Record<(typeof COUNTED)[number], number>;

const totals: EventCounts = { accepted: 0, stored: 0, duplicates: 0, refused: 0 };

/** A counter of Prometheus that reads its total when it is asked. */
const counter = (total: keyof EventCounts, name: string, help: string): Counter =>
  new Counter({
    name,
    help,
    registers,
    collect() {
      this.reset();
      this.inc(totals[total]);
    },
  });
counter('accepted', 'the_eye_events_accepted_total', 'Events that were put into the queue.');
counter('stored', 'the_eye_events_stored_total', 'Events that were stored and had not been before.');
counter(
  'duplicates',
  'the_eye_events_duplicate_total',
  'Events that came out of the queue and were stored already.',
);
// One that an alert waits for is there from the start, so that its first event counts as growth.
const refusals = new Map<string, number>([['refused_by_database', 0]]);
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

/** What happened to events since the process started. */
export const eventTotals = (): EventCounts => ({ ...totals });

/** Takes note; each call returns at once. Times are in milliseconds. */
export const metrics = {
  accepted: (events: number): void => void (totals.accepted += events),
  /** @param duplicates events that were stored already */
  stored: (events: number, duplicates: number): void => {
    totals.stored += events;
    totals.duplicates += duplicates;
  },
  refused: (code: string): void => {
    totals.refused++;
    refusals.set(code, (refusals.get(code) ?? 0) + 1);
  },
  jobDone: (took: number): void => jobs.observe(took / 1000),
  statementDone: (statement: string, outcome: StatementOutcome, took: number): void =>
    statements.observe({ statement, outcome }, took / 1000),
  answered: (method: string, route: string, status: number, took: number): void =>
    answers.observe({ method, route, status }, took / 1000),
};
