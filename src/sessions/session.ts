/** The type of an event. */
export interface SessionEnd {
  readonly category: string;
  readonly name: string;
}

/** A session as its events say; for a caller that sees one application, as the events of that application say. */
export interface Session {
  readonly session_id: string;
  /** Timestamps of its first and its last event: UTC with six fractional digits. */
  readonly first: string;
  readonly last: string;
  /** Seconds between them, to the microsecond. */
  readonly duration: number;
  readonly events: number;
  readonly applications: readonly string[];
  readonly categories: readonly string[];
  /** Of events with the same timestamp, the first and the last by id. */
  readonly entry: SessionEnd;
  readonly exit: SessionEnd;
}

/** A session in a list, at the place of its last event. */
export interface ListedSession extends Session {
  /** Of its last event. */
  readonly id: string;
}
