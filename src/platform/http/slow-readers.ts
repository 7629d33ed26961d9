import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { ServerResponse } from 'node:http';
import { environment } from '../config/environment.js';

/** Bytes that the operating system takes off our hands, whoever reads them when. */
const AT_ONCE = 64 * 1024;

/** Bytes a second that a reader must be able to take: some 2 Mbit/s. */
const SLOWEST = 256 * 1024;

/**
 * Cuts off whoever does not take a large answer in time, however steadily it trickles: until then it lies in memory.
 * Those who take nothing at all are cut off by the connection's own time-out; streams have that one only.
 */
export function cutOffSlowReaders(app: NestFastifyApplication): void {
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onSend', (_, reply, payload, done) => {
      const size = typeof payload === 'string' || Buffer.isBuffer(payload) ? payload.length : 0;
      if (size > AT_ONCE) mustBeRead(reply.raw, environment.REQUEST_TIMEOUT + (size / SLOWEST) * 1000);
      done(null, payload);
    });
}

/** Ends the connection unless the whole answer has left within so many milliseconds. */
export function mustBeRead(answer: ServerResponse, milliseconds: number): void {
  const timer = setTimeout(() => answer.destroy(), milliseconds).unref();
  answer.once('close', () => clearTimeout(timer));
}
