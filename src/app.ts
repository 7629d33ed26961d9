import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { admitCallers } from './applications/gate.js';
import { AppModule, type AppOptions } from './app.module.js';
import { environment } from './config/environment.js';
import { sendFiles } from './dashboard/assets.js';
import { readBodies } from './http/bodies.js';
import { earlyProblems } from './http/early-problems.js';
import { indentOnRequest } from './http/indent.js';
import { ProblemFilter } from './http/problem.filter.js';
import { describe } from './http/swagger.js';
import { RejectionsRecorder } from './rejections/rejections.recorder.js';
import { noteTooLarge } from './rejections/too-large.js';
import { QuietLogger } from './quiet-logger.js';

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
    },
    connectionTimeout: 0,
    // What still arrives on a kept connection while The Eye stops is answered like everything before.
    return503OnClosing: false,
    // A part of a path may be as long as a category, each slash in it spelt %2F, and longer ones are named up to here.
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: environment.TEXT_LIMIT * 4 },
    ...earlyProblems,
  });
  const app = await NestFactory.create<NestFastifyApplication>(AppModule.register(options), adapter, {
    bodyParser: false,
    logger: new QuietLogger(),
  });
  admitCallers(app);
  readBodies(app);
  indentOnRequest(app);
  sendFiles(app);
  app.useGlobalFilters(new ProblemFilter(noteTooLarge(app.get(RejectionsRecorder, { strict: false }))));
  describe(app);
  return app;
}
