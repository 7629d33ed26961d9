import { getQueueToken } from '@nestjs/bull';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Queue } from 'bull';
import type { FastifyRequest } from 'fastify';
import { AppModule, type AppOptions } from './app.module.js';
import { ApiKeyCache } from './auth/api-key.cache.js';
import { auth } from './auth/auth.plugin.js';
import { AuthenticationFailures } from './auth/authentication-failures.js';
import type { Caller } from './auth/caller.js';
import { crossOrigin } from './auth/cors.plugin.js';
import { sendFiles } from './dashboard/assets.js';
import { protocolConstraint } from './dialects/cloudevents/protocol-constraint.js';
import { cloudEventsWebhook } from './dialects/cloudevents/webhook.plugin.js';
import { dialects } from './dialects/dialects.plugin.js';
import { setUpSwagger } from './docs/swagger.js';
import { queueBoard } from './operations/queue-board.plugin.js';
import { environment } from './platform/config/environment.js';
import { servesApi } from './platform/config/role.js';
import { bodyParsers } from './platform/http/bodies.js';
import { bodyBudget } from './platform/http/body-budget.plugin.js';
import { clientOf } from './platform/http/client-address.js';
import { hostCheck, toOriginForm } from './platform/http/host-check.plugin.js';
import { jsonIndent } from './platform/http/json-indent.plugin.js';
import { methods } from './platform/http/methods.plugin.js';
import { parameterLimit } from './platform/http/parameter-limit.plugin.js';
import { pathParameters } from './platform/http/path-parameters.plugin.js';
import { ProblemFilter } from './platform/http/problem.filter.js';
import { securityHeaders } from './platform/http/security-headers.plugin.js';
import { clientErrors, requestErrorHandlers } from './platform/http/socket/client-errors.plugin.js';
import { cutOffStreams } from './platform/http/socket/cut-off-streams.plugin.js';
import { earlyResponses } from './platform/http/socket/early-responses.plugin.js';
import { expectContinue } from './platform/http/socket/expect-continue.plugin.js';
import { gracefulClose } from './platform/http/socket/graceful-close.plugin.js';
import { oneAtATime } from './platform/http/socket/one-at-a-time.plugin.js';
import { slowReaders } from './platform/http/socket/slow-readers.plugin.js';
import { trustProxy } from './platform/http/trusted-proxies.js';
import { QUESTION_TIMEOUT_MS } from './platform/questions/while-wanted.js';
import { nestLogger } from './platform/telemetry/log.js';
import { requestId } from './platform/telemetry/request-id.js';
import { requestMetrics } from './platform/telemetry/request-metrics.plugin.js';
import { requestTracing } from './platform/telemetry/tracing.js';
import { INGESTION_QUEUE } from './queue/queue.constants.js';
import { RejectionsRecorder } from './rejections/rejections.recorder.js';
import { recordRefusedBodies } from './rejections/refused-bodies.js';

/** Milliseconds. Longer than the minute of common proxies, so that none sends a request on a connection that just closes. */
const KEEP_ALIVE_TIMEOUT_MS = 72_000;

/** The router of Fastify, and of the plugin that knows the methods of each path. */
const ROUTER_OPTIONS = {
  ignoreTrailingSlash: true,
  // A path segment may be a category of TEXT_LIMIT characters, each of them percent-encoded.
  maxParamLength: environment.TEXT_LIMIT * 4,
};

/** Builds the application, which does not listen yet; tests and benchmarks start the same one. */
export async function createApp(options: AppOptions): Promise<NestFastifyApplication> {
  const app = await NestFactory.create<NestFastifyApplication>(AppModule.register(options), httpAdapter(), {
    bodyParser: false,
    logger: nestLogger,
  });
  const keys = app.get(ApiKeyCache);
  const failures = app.get(AuthenticationFailures);

  // Hooks of a kind run in the order of registration.
  await app.register(oneAtATime);
  await app.register(requestTracing);
  await app.register(requestMetrics);
  await app.register(securityHeaders);
  await app.register(clientErrors);
  await app.register(expectContinue);
  await app.register(hostCheck);
  await app.register(parameterLimit);
  await app.register(pathParameters);
  await app.register(cloudEventsWebhook);
  await app.register(crossOrigin, { keys });
  await app.register(methods, { router: ROUTER_OPTIONS });
  await app.register(auth, { keys, failures });
  await app.register(bodyBudget, {
    callerOf: ({ caller, ip }) => (caller as Caller | null)?.keyId ?? clientOf(ip),
    isAuthenticated,
  });
  await app.register(bodyParsers, {
    takesEvents: ({ access }) => access === 'ingest',
    isAuthenticated,
    onBytes: ({ points }, bytes) => points?.take({ bytes }),
  });
  await app.register(dialects);
  await app.register(jsonIndent);
  await app.register(cutOffStreams);
  await app.register(slowReaders);
  await app.register(earlyResponses);
  await app.register(gracefulClose);
  sendFiles(app);

  const isApi = servesApi(options.role);
  app.useGlobalFilters(
    new ProblemFilter(isApi ? recordRefusedBodies(app.get(RejectionsRecorder)) : undefined),
  );
  setUpSwagger(app);
  if (isApi) {
    // Not awaited: it is then loaded after Nest has set the error handler that its routes inherit.
    void app.register(queueBoard, {
      prefix: '/queues',
      queue: app.get<Queue>(getQueueToken(INGESTION_QUEUE)),
    });
  }
  return app;
}

/** Whether it is known who sends a request; without a key elsewhere, that of some protocols is looked for in the body. */
const isAuthenticated = ({ caller }: FastifyRequest): boolean => (caller as Caller | null) !== null;

function httpAdapter(): FastifyAdapter {
  return new FastifyAdapter({
    bodyLimit: environment.BODY_LIMIT,
    // Limits the time to receive a request, so that slow clients cannot occupy connections. Node limits the headers to the
    // shorter and the whole request to the longer of the two times, and checks every 30 seconds by default.
    requestTimeout: environment.REQUEST_TIMEOUT,
    http: {
      requestTimeout: environment.REQUEST_TIMEOUT,
      headersTimeout: environment.REQUEST_TIMEOUT,
      connectionsCheckingInterval: 1000,
      requireHostHeader: false,
    },
    genReqId: requestId,
    // Closes a connection without traffic in either direction, but not while the slowest response is pending.
    connectionTimeout:
      environment.REQUEST_TIMEOUT + Math.max(environment.WAIT_LIMIT * 1000, QUESTION_TIMEOUT_MS),
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    // Requests that arrive on open connections while the server stops are processed as usual.
    return503OnClosing: false,
    routerOptions: { ...ROUTER_OPTIONS, constraints: { protocol: protocolConstraint } },
    rewriteUrl: toOriginForm,
    trustProxy,
    ...requestErrorHandlers,
  });
}
