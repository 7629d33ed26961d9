import { type Filter } from '../../src/platform/filters/filter.js';
import { isCondition, ParameterErrors, parseQueryFilter } from '../../src/platform/filters/query-filter.js';
import { type FilteredEvent, matches } from '../../testing/filter-oracle.js';
import type { TheEye } from '../../testing/the-eye.js';

/** An event as PostgreSQL has it. */
export interface StoredRow extends FilteredEvent {
  readonly id: string;
  /** UTC with six fractional digits. */
  readonly timestamp: string;
}

export type Query = Readonly<Record<string, string>>;

/** A session as the API gives it out. */
export interface OracleSession {
  session_id: string;
  first: string;
  last: string;
  duration: number;
  events: number;
  applications: string[];
  categories: string[];
  entry: { category: string; name: string };
  exit: { category: string; name: string };
}

export const storedRows = (eye: TheEye): Promise<StoredRow[]> =>
  eye.sql<StoredRow>(
    `SELECT id, application, session_id, category, name, data,
       to_char(timestamp AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS timestamp
     FROM events`,
  );

/** The sessions that a query finds, newest last event first, with their events in order. */
export function sessionsOf(
  rows: readonly StoredRow[],
  query: Query,
  visible?: string,
): { session: OracleSession; events: StoredRow[] }[] {
  const bySession = new Map<string, StoredRow[]>();
  for (const row of rows)
    if (visible === undefined || row.application === visible)
      bySession.set(row.session_id, [...(bySession.get(row.session_id) ?? []), row]);
  const conditions = filterOf(query);
  return [...bySession.values()]
    .map((events) => events.sort((a, b) => order(key(a), key(b))))
    .filter((events) => events.some((event) => matches(conditions, event)))
    .map((events) => ({ session: summary(events), events }))
    .filter(({ session }) => Object.entries(query).every(([name, value]) => isMet(name, value, session)))
    .sort((a, b) => -order(key(a.events.at(-1)), key(b.events.at(-1))));
}

const order = (a: string, b: string): number => (a < b ? -1 : Number(a > b));
const key = (row: StoredRow | undefined): string => `${row?.timestamp} ${row?.id}`;
const unique = (texts: string[]): string[] => [...new Set(texts)].sort();

/** Microseconds since 1970. */
export const micros = (text: string): bigint =>
  BigInt(Date.parse(`${text.slice(0, 19)}Z`)) * 1000n + BigInt(text.slice(20, 26));

function summary(events: readonly StoredRow[]): OracleSession {
  const [first, last] = [events[0], events.at(-1)] as [StoredRow, StoredRow];
  return {
    session_id: first.session_id,
    first: first.timestamp,
    last: last.timestamp,
    duration: Number(micros(last.timestamp) - micros(first.timestamp)) / 1e6,
    events: events.length,
    applications: unique(events.map(({ application }) => application)),
    categories: unique(events.map(({ category }) => category)),
    entry: { category: first.category, name: first.name },
    exit: { category: last.category, name: last.name },
  };
}

/** The conditions on events. */
function filterOf(query: Query): Filter {
  const errors = new ParameterErrors();
  const given = Object.entries(query);
  const parsed = parseQueryFilter(Object.fromEntries(given.filter(([name]) => isCondition(name))), errors);
  const fields = ['application', 'category', 'name', 'session_id'] as const;
  const equalities = fields.flatMap((field): Filter[] => {
    const value = query[field];
    return value === undefined ? [] : [{ kind: 'in', property: { kind: 'field', field }, values: [value] }];
  });
  return { kind: 'all', filters: [parsed, ...equalities] };
}

function isMet(parameter: string, value: string, session: OracleSession): boolean {
  if (parameter === 'timestamp_after') return session.last >= value;
  if (parameter === 'timestamp_before') return session.last <= value;
  const [property = '', operator = 'eq'] = parameter.split(':');
  const actual = {
    duration: session.duration,
    events: session.events,
    'entry.category': session.entry.category,
    'entry.name': session.entry.name,
    'exit.category': session.exit.category,
    'exit.name': session.exit.name,
  }[property];
  if (actual === undefined) return true;
  const wanted = value.split(',').map((one) => (typeof actual === 'number' ? Number(one) : one));
  const [low = '', high = ''] = wanted;
  switch (operator) {
    case 'eq':
    case 'in':
      return wanted.includes(actual);
    case 'not':
      return !wanted.includes(actual);
    case 'gte':
      return actual >= low;
    case 'lt':
      return actual < low;
    case 'between':
      return actual >= low && actual <= high;
    case 'begins':
      return String(actual).startsWith(value);
    default:
      throw new Error(`The oracle does not know ${operator}.`);
  }
}

/** What SQL calls PERCENTILE_CONT. */
function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const place = share * (sorted.length - 1);
  const low = Math.floor(place);
  const [below = NaN, above = below] = sorted.slice(low, low + 2);
  return below + (above - below) * (place - low);
}

/** The measures of some sessions. */
export function measuresOf(sessions: readonly OracleSession[]): Record<string, number | null> {
  const count = sessions.length;
  if (count === 0)
    return {
      sessions: 0,
      bounce_share: null,
      median_duration: null,
      p90_duration: null,
      events_per_session: null,
    };
  const durations = sessions.map(({ duration }) => duration);
  return {
    sessions: count,
    bounce_share: sessions.filter(({ events }) => events === 1).length / count,
    median_duration: percentile(durations, 0.5),
    p90_duration: percentile(durations, 0.9),
    events_per_session: sessions.reduce((sum, { events }) => sum + events, 0) / count,
  };
}
