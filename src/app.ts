import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { admitCallers } from './applications/gate.js';
import { AppModule, type AppOptions } from './app.module.js';
import { environment } from './config/environment.js';
import { answers } from './config/role.js';
import { protectAnswers } from './http/answer-headers.js';
import { sendFiles } from './dashboard/assets.js';
import { readBodies } from './http/bodies.js';
import { letEarlyAnswersArrive } from './http/early-answers.js';
import { earlyProblems, nameExpectations, nameMissingHost, rememberAnswers } from './http/early-problems.js';
import { indentOnRequest } from './http/indent.js';
import { ProblemFilter } from './http/problem.filter.js';
import { showQueue } from './operations/queue-board.js';
import { cutOffSlowReaders } from './http/slow-readers.js';
import { describe } from './http/swagger.js';
import { RejectionsRecorder } from './rejections/rejections.recorder.js';
import { noteTooLarge } from './rejections/too-large.js';
import { nestLogger } from './telemetry/log.js';
import { requestId } from './telemetry/request-id.js';
import { observeRequests } from './telemetry/requests.js';
import { traceRequests } from './telemetry/tracing.js';

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
  await admitCallers(app);
  readBodies(app);
  indentOnRequest(app);
  cutOffSlowReaders(app);
  letEarlyAnswersArrive(app);
  sendFiles(app);
  app.useGlobalFilters(new ProblemFilter(noteTooLarge(app.get(RejectionsRecorder, { strict: false }))));
  describe(app);
  if (answers(options.role)) showQueue(app);
  return app;
}
