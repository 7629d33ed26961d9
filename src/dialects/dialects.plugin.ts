import type { FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { RawBody } from '../platform/http/bodies.js';
import type { Dialect } from './dialect.js';

const NO_BYTES = Buffer.alloc(0);

/**
 * Opens the bodies of dialects: finds the items, and authenticates a request whose key stands in its body before a handler
 * runs.
 */
export const dialects = fp(
  (fastify, _options, registered) => {
    fastify.decorateRequest('message', undefined);
    fastify.addHook('preHandler', (request, _reply, next) => {
      const { dialect } = request.routeOptions.config;
      if (!dialect) return next();
      open(dialect, request).then(() => next(), next);
    });
    registered();
  },
  { name: 'the-eye-dialects', dependencies: ['the-eye-auth', 'the-eye-body-parsers'] },
);

async function open(dialect: Dialect, request: FastifyRequest): Promise<void> {
  const { body } = request;
  const bytes = body instanceof RawBody ? body.bytes : NO_BYTES;
  const message = await dialect.open(bytes, request);
  await request.authenticate?.(message.key);
  // The declared length was charged to callers who were known before; the others pay now.
  await request.points?.take({ bytes: bytes.length });
  request.message = message;
}
