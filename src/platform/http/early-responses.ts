import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply } from 'fastify';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { PassThrough, pipeline, Readable } from 'node:stream';
import { drainRequest } from './lingering-close.js';

type Payload = string | Buffer | Readable | null | undefined;

/** Lets a sender who is still sending see an answer to what came so far: for that somebody must go on reading. */
export function letEarlyAnswersArrive(app: NestFastifyApplication): void {
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onSend', ({ raw }, reply, payload: Payload, done) => {
      if (raw.complete) return done(null, payload);
      raw.resume();
      if (!closes(raw, reply.raw)) {
        // What Fastify sets on some refusals.
        reply.removeHeader('connection');
        return done(null, payload);
      }
      if (payload && raw.method !== 'HEAD') return done(null, endsWhenRead(payload, raw, reply));
      // There is nothing of which the end could be held.
      drainRequest(raw, () => done(null, payload));
    });
}

/** Whether the connection ends with the answer: its sender said so, would speak another protocol, or The Eye is stopping. */
function closes(request: IncomingMessage, answer: ServerResponse): boolean {
  return (
    !answer.shouldKeepAlive ||
    request.headers.upgrade !== undefined ||
    // Where Fastify says it to all, and not in the answer's own headers.
    answer.getHeader('connection') === 'close'
  );
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
  const answer = new PassThrough({ flush: (done) => drainRequest(request, done) });
  if (payload instanceof Readable) return pipeline(payload, answer, () => undefined);
  reply.header('content-length', Buffer.byteLength(payload));
  return answer.end(payload);
}
