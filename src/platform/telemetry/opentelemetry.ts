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
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyRequest } from 'fastify';
import { setTimeout as wait } from 'node:timers/promises';
import { log } from './log.js';
import type { SpanOptions, Tracer } from './tracing.js';

const KINDS = { client: SpanKind.CLIENT, producer: SpanKind.PRODUCER, consumer: SpanKind.CONSUMER };

/** Milliseconds that a process that stops waits for the last spans to be taken. */
const LAST_EXPORT = 3000;

/**
 * Sends spans over OTLP/HTTP. Made by hand at the few places that matter, instead of by instrumentation that wraps every
 * library and every query. It reads the environment variables of the OpenTelemetry specification.
 * @see https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
 */
export class OpenTelemetry implements Tracer {
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
    // What is done for many goes on in the trace of the first, so that it is sampled as that one is, and links to all.
    const parent = links[0] ? trace.setSpanContext(ROOT_CONTEXT, links[0].context) : context.active();
    if (trace.getSpanContext(parent) === undefined) return work();
    const { kind, attributes } = options;
    const span = this.tracer.startSpan(name, { kind: KINDS[kind], attributes, links }, parent);
    return context.with(trace.setSpan(parent, span), () => ended(span, work));
  }

  traceparent(): string | undefined {
    if (!trace.getActiveSpan()?.isRecording()) return undefined;
    const carrier: { traceparent?: string } = {};
    propagation.inject(context.active(), carrier);
    return carrier.traceparent;
  }

  followRequests(app: NestFastifyApplication): void {
    const requests = new WeakMap<FastifyRequest, Context>();
    const fastify = app.getHttpAdapter().getInstance();
    fastify.addHook('onRequest', (request, _, done) => {
      const caller = propagation.extract(ROOT_CONTEXT, request.headers);
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
        caller,
      );
      const own = trace.setSpan(caller, span);
      requests.set(request, own);
      context.with(own, done);
    });
    // A body arrives in the context of its connection.
    fastify.addHook('preHandler', (request, _, done) => {
      context.with(requests.get(request) ?? ROOT_CONTEXT, done);
    });
    fastify.addHook('onResponse', (request, reply, done) => {
      const own = requests.get(request);
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
      wait(LAST_EXPORT, undefined, { ref: false }),
    ]);
  }
}

async function ended<Result>(span: Span, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    // Its kind only: a message of PostgreSQL may hold what somebody sent.
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
