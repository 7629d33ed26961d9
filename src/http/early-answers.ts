import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply } from 'fastify';
import type { IncomingMessage } from 'node:http';
import { finished, PassThrough, pipeline, Readable } from 'node:stream';
import { environment } from '../config/environment.js';
import { LINGER } from './early-problems.js';

type Payload = string | Buffer | Readable | null | undefined;

/** Lets a sender who is still sending see an answer to what came so far: for that somebody must go on reading. */
export function letEarlyAnswersArrive(app: NestFastifyApplication): void {
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onSend', ({ raw }, reply, payload: Payload, done) => {
      if (raw.complete) return done(null, payload);
      raw.resume();
      const closes = !reply.raw.shouldKeepAlive || raw.headers.upgrade !== undefined;
      // What Fastify sets on some refusals.
      if (!closes) reply.removeHeader('connection');
      done(null, closes && payload ? endsWhenRead(payload, raw, reply) : payload);
    });
}

/**
 * An answer that goes out at once, but ends when the rest of its request has been read and thrown away: its connection
 * closes with it, and one that is closed with bytes unread takes what was just sent from its reader.
 */
function endsWhenRead(
  payload: NonNullable<Payload>,
  request: IncomingMessage,
  reply: FastifyReply,
): Readable {
  const answer = new PassThrough({ flush: (done) => whenRead(request, done) });
  if (payload instanceof Readable) return pipeline(payload, answer, () => undefined);
  reply.header('content-length', Buffer.byteLength(payload));
  return answer.end(payload);
}

/** Calls back once a body has come, its sender has made a pause, or his time is up. */
function whenRead(body: Readable, done: () => void): void {
  const pause = setTimeout(stop, LINGER);
  const timeout = setTimeout(stop, environment.REQUEST_TIMEOUT);
  const forget = finished(body, stop);
  body.on('data', () => pause.refresh());
  function stop(): void {
    forget();
    clearTimeout(pause);
    clearTimeout(timeout);
    done();
  }
}
