import fp from 'fastify-plugin';
import { environment } from '../config/environment.js';
import type { SpanOptions, Tracer } from './tracer.js';

export type { SpanKind, SpanOptions } from './tracer.js';

/** Undefined unless there is an endpoint to export spans to; OpenTelemetry is not even loaded then. */
let tracer: Tracer | undefined;

export async function startTracing(): Promise<void> {
  if (environment.OTEL_EXPORTER_OTLP_ENDPOINT === undefined) return;
  const { OpenTelemetryTracer } = await import('./opentelemetry.js');
  tracer = new OpenTelemetryTracer(environment.ROLE);
}

/** Exports the spans that are left. */
export async function stopTracing(): Promise<void> {
  await tracer?.close();
}

/** Makes a span of every request. Registered after startTracing(). */
export const requestTracing = fp(
  (fastify, _, done) => {
    tracer?.addRequestHooks(fastify);
    done();
  },
  { name: 'the-eye-request-tracing' },
);

/** Runs `work`, as a span if tracing is on. */
export function traced<Result>(
  name: string,
  options: SpanOptions,
  work: () => Promise<Result>,
): Promise<Result> {
  return tracer ? tracer.span(name, options, work) : work();
}

/**
 * The current span, to hand to another process or to work that is done later for several requests.
 * @returns a `traceparent` (W3C); undefined if tracing is off, outside a trace, and in one that is not sampled
 */
export function currentTraceparent(): string | undefined {
  return tracer?.traceparent();
}
