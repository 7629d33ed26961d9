/** What a key allows: to send events, to read, or everything. */
export const SCOPES = ['ingest', 'read', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

/** The application of everybody where authentication is off. */
export const DEFAULT_APPLICATION = 'default';

/** Who sent a request. */
export interface Caller {
  /** Name of the application. */
  readonly application: string;
  readonly scope: Scope;
  /** Identifier of the key; undefined where authentication is off. */
  readonly keyId?: string;
}

/** Everybody, where authentication is off. */
export const ANYBODY: Caller = { application: DEFAULT_APPLICATION, scope: 'admin' };

declare module 'fastify' {
  interface FastifyRequest {
    /** Known before the body is read. */
    caller: Caller;
  }
}
