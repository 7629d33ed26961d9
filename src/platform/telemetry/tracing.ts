import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { environment } from '../config/environment.js';

/** Part of a trace: where the process waits for another one, or works for somebody. */
export type SpanKind = 'client' | 'producer' | 'consumer';

export interface SpanOptions {
  readonly kind: SpanKind;
  readonly attributes?: Record<string, string | number>;
  /** The traces, as `traceparent`s (W3C), of the requests that the work is done for, when they are over already. */
  readonly requests?: readonly string[];
}

/** Follows requests to the statements that serve them. */
export interface Tracer {
  /** Runs the work as a span of the present trace; outside any trace, just runs it. */
  span<Result>(name: string, options: SpanOptions, work: () => Promise<Result>): Promise<Result>;
  /** The present span as a `traceparent`; undefined outside any trace, and in one that is not sampled. */
  traceparent(): string | undefined;
  followRequests(app: NestFastifyApplication): void;
  /** Sends what is not sent yet. */
  close(): Promise<void>;
}

/** Traces named by a job at the most. It may hold the events of a thousand requests. */
const TRACES = 32;

/** Undefined, and OpenTelemetry not even loaded, unless there is somebody to send traces to. */
let tracer: Tracer | undefined;

export async function startTracing(): Promise<void> {
  if (environment.OTEL_EXPORTER_OTLP_ENDPOINT === undefined) return;
  const { OpenTelemetry } = await import('./opentelemetry.js');
  tracer = new OpenTelemetry(environment.ROLE);
}

export async function stopTracing(): Promise<void> {
  await tracer?.close();
}

export function traceRequests(app: NestFastifyApplication): void {
  tracer?.followRequests(app);
}

/** Runs the work, as a span where traces are wanted. */
export function traced<Result>(
  name: string,
  options: SpanOptions,
  work: () => Promise<Result>,
): Promise<Result> {
  return tracer ? tracer.span(name, options, work) : work();
}

/** The present traces of what is handed over to somebody who works on many such things at once. */
const handedOver = new WeakMap<object, string>();

export function rememberTrace(thing: object): void {
  const traceparent = tracer?.traceparent();
  if (traceparent !== undefined) handedOver.set(thing, traceparent);
}

/** The traces in which these things were handed over, or undefined where none was. */
export function tracesOf(things: readonly object[]): string[] | undefined {
  if (tracer === undefined) return undefined;
  const traces = things.flatMap((thing) => handedOver.get(thing) ?? []).slice(0, TRACES);
  return traces.length > 0 ? traces : undefined;
}
