/** What a key allows: to send events, to read, or everything. */
export const SCOPES = ['ingest', 'read', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

/** The application of everybody where authentication is off. */
export const DEFAULT_APPLICATION = 'default';

/** What a key may still send and ask for. */
export interface Quota {
  /**
   * Takes points: one for a request, and one for each further event in it.
   * @returns undefined where they were at hand, which is the rule
   * @throws Problem 429, now or later
   */
  take(points: number): Promise<void> | undefined;
  /** What is left, in the fields `RateLimit` and `RateLimit-Policy`. */
  headers(): Record<string, string>;
}

/** Who sent a request. */
export interface Caller {
  /** Name of the application. */
  readonly application: string;
  readonly scope: Scope;
  /** Identifier of the key; undefined where authentication is off. */
  readonly keyId?: string;
  /** Whether the key is still good, for answers that go on for long; undefined where authentication is off. */
  readonly isActive?: () => Promise<boolean>;
  /** Undefined where there is no limit. */
  readonly quota?: Quota;
}

/** Everybody, where authentication is off. */
export const ANYBODY: Caller = { application: DEFAULT_APPLICATION, scope: 'admin' };

declare module 'fastify' {
  interface FastifyRequest {
    /** Known before the body is read. */
    caller: Caller;
  }
}
