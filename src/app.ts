import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { registerAuth } from './auth/auth.hook.js';
import { AppModule, type AppOptions } from './app.module.js';
import { environment } from './platform/config/environment.js';
import { servesApi } from './platform/config/role.js';
import { protectAnswers } from './platform/http/response-headers.js';
import { sendFiles } from './dashboard/assets.js';
import { readBodies } from './platform/http/bodies.js';
import { letEarlyAnswersArrive } from './platform/http/early-responses.js';
import {
  earlyProblems,
  nameExpectations,
  nameMissingHost,
  rememberAnswers,
} from './platform/http/client-errors.js';
import { indentOnRequest } from './platform/http/json-indent.js';
import { ProblemFilter } from './platform/http/problem.filter.js';
import { showQueue } from './operations/queue-board.js';
import { cutOffSlowReaders } from './platform/http/slow-readers.js';
import { setUpSwagger } from './docs/swagger.js';
import { RejectionsRecorder } from './rejections/rejections.recorder.js';
import { noteTooLarge } from './rejections/too-large.js';
import { nestLogger } from './platform/telemetry/log.js';
import { requestId } from './platform/telemetry/request-id.js';
import { observeRequests } from './platform/telemetry/request-metrics.js';
import { traceRequests } from './platform/telemetry/tracing.js';

/** The application, apart from the server that listens, so that tests and benchmarks start the real one. */
export async function createApp(options: AppOptions): Promise<NestFastifyApplication> {
  const adapter = new FastifyAdapter({
    bodyLimit: environment.BODY_LIMIT,
    // A sender that is slower than this is cut off, so that nobody can hold connections open for nothing. Node gives a
    // body the longer and the headers the shorter of the two times, and looks twice a minute unless told otherwise.
    requestTimeout: environment.REQUEST_TIMEOUT,
    http: {
      requestTimeout: environment.REQUEST_TIMEOUT,
      headersTimeout: environment.REQUEST_TIMEOUT,
      connectionsCheckingInterval: 1000,
      requireHostHeader: false,
    },
    genReqId: requestId,
    // Nobody who neither sends nor takes anything is waited for longer than the longest answer takes to come.
    connectionTimeout: environment.REQUEST_TIMEOUT + environment.WAIT_LIMIT * 1000,
    // Longer than the minute for which proxies keep theirs, so that they never send on one that is just being closed.
    keepAliveTimeout: 72_000,
    // What still arrives on a kept connection while The Eye stops is answered like everything before.
    return503OnClosing: false,
    // A part of a path may be as long as a category, each slash in it spelt %2F, and longer ones are named up to here.
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: environment.TEXT_LIMIT * 4 },
    ...earlyProblems,
  });
  const app = await NestFactory.create<NestFastifyApplication>(AppModule.register(options), adapter, {
    bodyParser: false,
    logger: nestLogger,
  });
  traceRequests(app);
  observeRequests(app);
  protectAnswers(app);
  rememberAnswers(app);
  nameExpectations(app);
  nameMissingHost(app);
  await registerAuth(app);
  readBodies(app);
  indentOnRequest(app);
  cutOffSlowReaders(app);
  letEarlyAnswersArrive(app);
  sendFiles(app);
  app.useGlobalFilters(new ProblemFilter(noteTooLarge(app.get(RejectionsRecorder, { strict: false }))));
  setUpSwagger(app);
  if (servesApi(options.role)) showQueue(app);
  return app;
}
