import type { FastifyRequest } from 'fastify';

export const PROTOBUF_TYPE = 'application/x-protobuf';

/** Responses are in the encoding of their requests. */
export const isProtobuf = ({ headers }: FastifyRequest): boolean =>
  /^application\/(?:x-)?protobuf\s*(?:;|$)/i.test(headers['content-type'] ?? '');
