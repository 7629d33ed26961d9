import type { FastifyInstance } from 'fastify';

/** Why a span exists: it waits for another process, hands work to one, or works on what one handed over. */
export type SpanKind = 'client' | 'producer' | 'consumer';

export interface SpanOptions {
  readonly kind: SpanKind;
  readonly attributes?: Record<string, string | number>;
  /** The `traceparent`s (W3C) of finished requests that the work is done for. */
  readonly requests?: readonly string[];
}

/** Records spans. */
export interface Tracer {
  /** Runs `work` as a span of the current trace, or, without a trace, as it is. */
  span<Result>(name: string, options: SpanOptions, work: () => Promise<Result>): Promise<Result>;
  /** The current span as a `traceparent`; undefined outside a trace, and in one that is not sampled. */
  traceparent(): string | undefined;
  /** Adds the hooks that make a span of every request. */
  addRequestHooks(fastify: FastifyInstance): void;
  /** Exports the spans that are left. */
  close(): Promise<void>;
}
