/** What a key permits: to send events, to read, or everything. */
export const SCOPES = ['ingest', 'read', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

/** The application of all callers while authentication is off. */
export const DEFAULT_APPLICATION = 'default';

/** The points that a key may still use in this minute. */
export interface Quota {
  /**
   * Takes points: one for a request, and one for each further event in it.
   * @returns undefined if this process had the points leased, which is the common case
   * @throws DomainError `rate_limited`, synchronously or by rejecting
   */
  take(points: number): Promise<void> | undefined;
  /** What is left, as the fields `RateLimit` and `RateLimit-Policy`. */
  headers(): Record<string, string>;
}

/** The sender of a request. */
export interface Caller {
  /** Name of the application. */
  readonly application: string;
  readonly scope: Scope;
  /** Undefined while authentication is off. */
  readonly keyId?: string;
  /** Whether the key is still active, for long responses. Undefined while authentication is off. */
  readonly isActive?: () => Promise<boolean>;
  /** Undefined if there is no limit. */
  readonly quota?: Quota;
}

/** The caller of a request without a key: while authentication is off, and on routes that need none. */
export const ANYBODY: Caller = { application: DEFAULT_APPLICATION, scope: 'admin' };

declare module 'fastify' {
  interface FastifyRequest {
    /** Set before the body is read. */
    caller: Caller;
  }
}
