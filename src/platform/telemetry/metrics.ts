import { collectDefaultMetrics, Counter, Histogram, Registry } from 'prom-client';
import { environment } from '../config/environment.js';
import { measureEventLoop, NEVER_MS, registerEventLoopDelays } from './event-loop-delay.js';

/**
 * The metrics of this process. Events are counted a batch at a time, so that the hot path pays one addition a batch, and
 * half a microsecond for each request, job and statement.
 */
export const registry = new Registry();
registry.setDefaultLabels({ role: environment.ROLE });
collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: NEVER_MS });
registerEventLoopDelays(registry);
const registers = [registry];

/** Seconds: from a response out of memory to the longest wait of a request. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** Seconds. A work order waits until PostgreSQL is available. */
const JOB_BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200, 86_400];

/** What is counted of events, in the order of processing. */
export const COUNTED = ['accepted', 'stored', 'duplicates', 'refused'] as const;
export type EventCounts = Record<(typeof COUNTED)[number], number>;

export const noCounts = (): EventCounts => ({ accepted: 0, stored: 0, duplicates: 0, refused: 0 });

const totals = noCounts();

/** By the name of the application. There are few applications, but too many for the labels of a metric. */
const totalsByApplication = new Map<string, EventCounts>();

function totalsOf(application: string): EventCounts {
  const known = totalsByApplication.get(application) ?? noCounts();
  totalsByApplication.set(application, known);
  return known;
}

/** A Prometheus counter that reads its total when it is scraped. */
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
counter('accepted', 'the_eye_events_accepted_total', 'Events put into the queue.');
counter('stored', 'the_eye_events_stored_total', 'Events stored for the first time.');
counter('duplicates', 'the_eye_events_duplicate_total', 'Events from the queue that were stored before.');
// An alert watches this code. It starts at 0, so that its first event counts as an increase.
const refusals = new Map<string, number>([['refused_by_database', 0]]);
new Counter({
  name: 'the_eye_events_refused_total',
  help: 'Refused events by the code of the reason; a body that is refused as a whole counts as one.',
  labelNames: ['code'],
  registers,
  collect() {
    this.reset();
    for (const [code, count] of refusals) this.inc({ code }, count);
  },
});
const skipped = new Counter({
  name: 'the_eye_messages_skipped_total',
  help: 'Messages of other protocols that are no events, such as log records without an event name; not among the refused.',
  labelNames: ['dialect'],
  registers,
});
const jobs = new Histogram({
  name: 'the_eye_job_seconds',
  help: 'Seconds from the acceptance of events until they are stored; those that were queued at once count as one.',
  buckets: JOB_BUCKETS,
  registers,
});
const statements = new Histogram({
  name: 'the_eye_statement_seconds',
  help: 'Seconds of an SQL statement, including the wait for a connection; outcome is ok, failed or unavailable.',
  labelNames: ['statement', 'outcome'],
  buckets: BUCKETS,
  registers,
});
const requests = new Histogram({
  name: 'the_eye_http_request_seconds',
  help: 'Seconds of a request by the template of its route, from its headers to the end of the response.',
  labelNames: ['method', 'route', 'status'],
  buckets: BUCKETS,
  registers,
});
const uncounted = new Counter({
  name: 'the_eye_rate_limit_uncounted_total',
  help: 'Requests that passed before the counter of their key replied: it was late, and they were counted afterwards, or away.',
  labelNames: ['reason'],
  registers,
});
const authenticationFailures = new Counter({
  name: 'the_eye_authentication_failures_total',
  help: 'Requests that failed to authenticate; reason is missing, malformed, unknown or limited.',
  labelNames: ['reason'],
  registers,
});

// Alerts watch these. They start at 0, so that the first one counts as an increase.
for (const reason of ['late', 'away']) uncounted.inc({ reason }, 0);
for (const reason of ['missing', 'malformed', 'unknown', 'limited'])
  authenticationFailures.inc({ reason }, 0);

export type StatementOutcome = 'ok' | 'failed' | 'unavailable';

/** Counts since the process started. */
export const eventTotals = (): EventCounts => ({ ...totals });

/** The same by application. */
export const eventTotalsByApplication = (): [application: string, totals: EventCounts][] =>
  [...totalsByApplication].map(([application, counts]) => [application, { ...counts }]);

/** Records what happened. Durations are in milliseconds. */
export const metrics = {
  accepted: (events: number): void => void (totals.accepted += events),
  /** The share of an application in the accepted events. */
  acceptedOf: (application: string, events: number): void => void (totalsOf(application).accepted += events),
  /** @param duplicates events that were stored before */
  stored: (events: number, duplicates: number): void => {
    measureEventLoop();
    totals.stored += events;
    totals.duplicates += duplicates;
  },
  /** The share of an application in the stored events and the duplicates. */
  storedOf: (application: string, events: number, duplicates: number): void => {
    const own = totalsOf(application);
    own.stored += events;
    own.duplicates += duplicates;
  },
  refused: (code: string, application: string): void => {
    totals.refused++;
    totalsOf(application).refused++;
    refusals.set(code, (refusals.get(code) ?? 0) + 1);
  },
  skipped: (dialect: string, count: number): void => skipped.inc({ dialect }, count),
  jobDone: (durationMs: number): void => jobs.observe(durationMs / 1000),
  statementDone: (statement: string, outcome: StatementOutcome, durationMs: number): void =>
    statements.observe({ statement, outcome }, durationMs / 1000),
  authenticationFailed: (reason: string): void => authenticationFailures.inc({ reason }),
  passedUncounted: (reason: 'late' | 'away'): void => uncounted.inc({ reason }),
  responded: (method: string, route: string, status: number, durationMs: number): void =>
    requests.observe({ method, route, status }, durationMs / 1000),
};
