import 'reflect-metadata';
import { Controller, HttpCode, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import fp from 'fastify-plugin';
import { environment } from '../../src/platform/config/environment.js';
import { setNodeFlags } from '../../src/platform/config/node-flags.js';
import { EventsPipe, SubmittedEvents } from '../../src/events/events.pipe.js';
import { LargeBodies } from '../../src/events/large-bodies.js';
import type { Submission } from '../../src/events/submission.js';
import { EventTypes } from '../../src/event-types/event-types.cache.js';
import { SchemaCompiler } from '../../src/event-types/schema/schema-compiler.js';
import { ANYBODY } from '../../src/auth/caller.js';
import { bodyParsers } from '../../src/platform/http/bodies.js';
import { ProblemFilter } from '../../src/platform/http/problem.filter.js';

setNodeFlags();

const eventTypes = new EventTypes(new SchemaCompiler());
eventTypes.update([]);

/** The limit set by the framework: The Eye's own pipe validates and identifies an event, and the handler discards it. */
@Controller('events')
class NoWork {
  @Post()
  @HttpCode(202)
  create(
    @SubmittedEvents(new EventsPipe(eventTypes, { record: () => undefined }, new LargeBodies()))
    { events }: Submission,
  ): {
    id: string | undefined;
    status: 'queued';
  } {
    return { id: events[0]?.id, status: 'queued' };
  }
}

@Module({ controllers: [NoWork] })
class NoWorkModule {}

const adapter = new FastifyAdapter({
  bodyLimit: environment.BODY_LIMIT,
  routerOptions: { ignoreTrailingSlash: true },
});
const app = await NestFactory.create<NestFastifyApplication>(NoWorkModule, adapter, {
  bodyParser: false,
  logger: false,
});
// Without the bound on the memory of all bodies, which is work of The Eye.
await app.register(
  fp(
    (fastify, _options, registered) => {
      fastify.decorateRequest('reserveBody', () => undefined);
      registered();
    },
    { name: 'the-eye-body-budget' },
  ),
);
await app.register(bodyParsers, {
  takesEvents: () => true,
  isAuthenticated: () => true,
  onBytes: () => undefined,
});
// Requests that would wait too long get 503 with Retry-After, as in The Eye.
app.useGlobalFilters(new ProblemFilter());
app
  .getHttpAdapter()
  .getInstance()
  .decorateRequest('caller', { getter: () => ANYBODY });
await app.listen(0, '127.0.0.1');
console.log(await app.getUrl());
