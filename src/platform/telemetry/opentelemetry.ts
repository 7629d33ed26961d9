import {
  type Context,
  context,
  diag,
  DiagLogLevel,
  type Link,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { setTimeout as wait } from 'node:timers/promises';
import { log } from './log.js';
import type { SpanOptions, Tracer } from './tracer.js';

const KINDS = { client: SpanKind.CLIENT, producer: SpanKind.PRODUCER, consumer: SpanKind.CONSUMER };

/** Milliseconds that a stopping process waits for the export of the last spans. */
const LAST_EXPORT_TIMEOUT_MS = 3000;

/**
 * Exports spans over OTLP/HTTP. Spans are created by hand in the few places that matter; automatic instrumentation would
 * wrap every library and every query. Reads the environment variables of the OpenTelemetry specification.
 * @see https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
 */
export class OpenTelemetryTracer implements Tracer {
  private readonly provider: BasicTracerProvider;
  private readonly tracer;

  constructor(role: string) {
    const warn = (message: string): void => log.warn({ context: 'Traces' }, message);
    diag.setLogger(
      { error: warn, warn, info: () => undefined, debug: () => undefined, verbose: () => undefined },
      DiagLogLevel.WARN,
    );
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    propagation.setGlobalPropagator(new W3CTraceContextPropagator());
    this.provider = new BasicTracerProvider({
      resource: defaultResource()
        .merge(resourceFromAttributes({ 'service.name': 'the-eye', 'the_eye.role': role }))
        .merge(detectResources({ detectors: [envDetector] })),
      spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
    });
    this.tracer = this.provider.getTracer('the-eye');
  }

  span<Result>(name: string, options: SpanOptions, work: () => Promise<Result>): Promise<Result> {
    const links = (options.requests ?? []).flatMap(linkTo);
    // Work for several requests continues the trace of the first one, whose sampling it inherits, and links to all of them.
    const parent = links[0] ? trace.setSpanContext(ROOT_CONTEXT, links[0].context) : context.active();
    if (trace.getSpanContext(parent) === undefined) return work();
    const { kind, attributes } = options;
    const span = this.tracer.startSpan(name, { kind: KINDS[kind], attributes, links }, parent);
    return context.with(trace.setSpan(parent, span), () => endAfter(span, work));
  }

  traceparent(): string | undefined {
    if (!trace.getActiveSpan()?.isRecording()) return undefined;
    const carrier: { traceparent?: string } = {};
    propagation.inject(context.active(), carrier);
    return carrier.traceparent;
  }

  addRequestHooks(fastify: FastifyInstance): void {
    const contexts = new WeakMap<FastifyRequest, Context>();
    fastify.addHook('onRequest', (request, _, done) => {
      const parent = propagation.extract(ROOT_CONTEXT, request.headers);
      const route = request.is404 ? undefined : request.routeOptions.url;
      const span = this.tracer.startSpan(
        route === undefined ? request.method : `${request.method} ${route}`,
        {
          kind: SpanKind.SERVER,
          attributes: {
            'http.request.method': request.method,
            ...(route !== undefined && { 'http.route': route }),
            'the_eye.request_id': request.id,
          },
        },
        parent,
      );
      const own = trace.setSpan(parent, span);
      contexts.set(request, own);
      context.with(own, done);
    });
    // A body arrives in the asynchronous context of its connection, so the request's own context is restored.
    fastify.addHook('preHandler', (request, _, done) => {
      context.with(contexts.get(request) ?? ROOT_CONTEXT, done);
    });
    fastify.addHook('onResponse', (request, reply, done) => {
      const own = contexts.get(request);
      const span = own && trace.getSpan(own);
      span?.setAttribute('http.response.status_code', reply.statusCode);
      if (reply.statusCode >= 500) span?.setStatus({ code: SpanStatusCode.ERROR });
      span?.end();
      done();
    });
  }

  async close(): Promise<void> {
    await Promise.race([
      this.provider.shutdown().catch(() => undefined),
      wait(LAST_EXPORT_TIMEOUT_MS, undefined, { ref: false }),
    ]);
  }
}

async function endAfter<Result>(span: Span, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    // Only the class: a message of PostgreSQL may contain payloads.
    span.setStatus({ code: SpanStatusCode.ERROR });
    span.setAttribute('error.type', error instanceof Error ? error.constructor.name : typeof error);
    throw error;
  } finally {
    span.end();
  }
}

function linkTo(traceparent: string): Link | [] {
  const found = trace.getSpanContext(propagation.extract(ROOT_CONTEXT, { traceparent }));
  return found ? { context: found } : [];
}
