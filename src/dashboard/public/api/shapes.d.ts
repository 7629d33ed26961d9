/** The parts of the API's responses that the page reads. The whole API is documented at /docs. */

export interface StoredEvent {
  id: string;
  application: string;
  session_id: string;
  category: string;
  name: string;
  data: Record<string, unknown>;
  timestamp: string;
}

export interface Page<Row> {
  count: number;
  count_is_estimate?: boolean;
  next: string | null;
  previous: string | null;
  results: Row[];
}

/** GET /statistics/rates/: events per second, oldest first. The last number is the last full second. */
export interface Rates {
  now: string;
  seconds: number;
  accepted: number[];
  stored: number[];
  duplicates: number[];
  refused: number[];
  backlog: { events: number; jobs: number; oldest_seconds: number | null };
}

export interface Series {
  application?: string;
  category?: string;
  name?: string;
  /** The sum of all groups beyond `limit`. */
  others?: true;
  groups?: number;
  total: number;
  counts: number[];
}

/** GET /statistics/events/ */
export interface Counts {
  interval: string;
  from: string;
  to: string;
  total: number;
  buckets: string[];
  series: Series[];
}

export interface Ranked {
  application?: string;
  category?: string;
  name?: string;
  count: number;
}

/** GET /statistics/top/ */
export interface Top {
  total: number;
  applications: Ranked[];
  categories: Ranked[];
  names: Ranked[];
  types: Ranked[];
}

/** The type of the first or last event of a session. */
export interface SessionEnd {
  category: string;
  name: string;
}

export interface Session {
  session_id: string;
  first: string;
  last: string;
  /** Seconds. */
  duration: number;
  events: number;
  applications: string[];
  categories: string[];
  entry: SessionEnd;
  exit: SessionEnd;
}

/** GET /sessions/<session_id>/ */
export interface SessionPage extends Session {
  next: string | null;
  previous: string | null;
  results: (StoredEvent & { elapsed: number | null })[];
}

export interface Rejection {
  id: string;
  event_id: string | null;
  application: string;
  outcome: 'refused' | 'observed' | 'set_aside';
  code: string;
  errors: Record<string, string[]>;
  event: unknown;
  whole: boolean;
  session_id: string | null;
  category: string | null;
  name: string | null;
  dialect: string | null;
  rejected_at: string;
}

/** GET /rejections/summary/ */
export interface RejectionSummary {
  interval: 'minute' | 'hour' | 'day';
  from: string;
  to: string;
  total: number;
  results: {
    time: string;
    application: string;
    code: string;
    category: string;
    name: string;
    count: number;
  }[];
}

export interface Check {
  status: 'up' | 'down';
  /** Of the backlog. */
  events?: number;
  /** Of the copy in ClickHouse; null until the first is complete. */
  lag_seconds?: number | null;
  backlog_events?: number;
}

export type Checks = Record<string, Check>;
