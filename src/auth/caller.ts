/** What a key permits: to send events, to read, everything, or to read the metrics. */
export const SCOPES = ['ingest', 'read', 'admin', 'metrics'] as const;
export type Scope = (typeof SCOPES)[number];

/** The application of all callers without a key while authentication is off. */
export const DEFAULT_APPLICATION = 'default';

/** The points that a key may still use in this minute. */
export interface Quota {
  /**
   * Takes points, which RequestPoints counts.
   * @returns undefined if this process had the points reserved, which is the common case
   * @throws DomainError `rate_limited`, synchronously or by rejecting
   */
  take(points: number): Promise<void> | undefined;
  /**
   * Charges points for work that is done, and whose cost was not known before. Never throws. The points may exceed what is
   * left: then `take` is refused until the window ends.
   * @param points zero or more; a fraction is rounded up
   */
  charge(points: number): void;
  /** What is left, as the fields `RateLimit` and `RateLimit-Policy`. */
  headers(): Record<string, string>;
}

/** The sender of a request. */
export interface Caller {
  /** Name of the application: its events are stored under it. */
  readonly application: string;
  /** False if it may read and change what belongs to its application only. */
  readonly allApplications: boolean;
  readonly scope: Scope;
  /** The id and the prefix of its key. Undefined without a key. */
  readonly keyId?: string;
  readonly keyPrefix?: string;
  /** Whether the key is still active, for long responses. Undefined without a key. */
  readonly isActive?: () => Promise<boolean>;
  /** Undefined if there is no limit. */
  readonly quota?: Quota;
}

/** The caller of a request without a key: while authentication is off, and on routes that need none. */
export const ANYBODY: Caller = { application: DEFAULT_APPLICATION, allApplications: true, scope: 'admin' };

/**
 * The application that a caller may see and change; undefined if it may see and change all. Every rule about who sees what
 * follows from this function.
 */
export function visibleApplication({ application, allApplications }: Caller): string | undefined {
  return allApplications ? undefined : application;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set before the body is read, or after it if the key stands in it. */
    caller: Caller;
  }
}
