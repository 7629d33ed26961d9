import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import type { FastifyRequest } from 'fastify';
import type { DomainError, ErrorKind } from '../../platform/errors/domain-error.js';
import { JSON_CONTENT_TYPE } from '../../platform/http/media-types.js';
import { toProblemDocument } from '../../platform/http/problem-document.js';
import type { RenderedError } from '../../platform/http/problem.filter.js';
import { isProtobuf, PROTOBUF_TYPE } from './media-type.js';

/** Exporters give up a batch once their waits exceed ten seconds in all. */
const MAX_RETRY_AFTER_SECONDS = 5;

/** Kinds after which the same request may succeed. Exporters send again after 429, 502, 503 and 504 only. */
const RETRYABLE: ReadonlySet<ErrorKind> = new Set(['internal', 'timeout', 'unavailable']);

/** Codes of gRPC by the status of HTTP. @see https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto */
const CODES = new Map([
  [401, 16],
  [403, 7],
  [404, 5],
  [413, 8],
  [429, 8],
  [503, 14],
]);
const INVALID_ARGUMENT = 3;

/** An error as a google.rpc.Status in the encoding of the request. */
export function renderStatus(error: DomainError, request?: FastifyRequest): RenderedError {
  const { detail, status: usual } = toProblemDocument(error);
  const status = RETRYABLE.has(error.kind) ? 503 : usual;
  const code = CODES.get(status) ?? INVALID_ARGUMENT;
  return {
    status,
    ...((status === 429 || status === 503) && {
      headers: { 'retry-after': String(Math.min(error.retryAfterSeconds ?? 1, MAX_RETRY_AFTER_SECONDS)) },
    }),
    ...(request && isProtobuf(request)
      ? { contentType: PROTOBUF_TYPE, body: encodeStatus(code, detail) }
      : { contentType: JSON_CONTENT_TYPE, body: { code, message: detail } }),
  };
}

function encodeStatus(code: number, message: string): Buffer {
  const writer = new BinaryWriter();
  writer.tag(1, WireType.Varint).int32(code).tag(2, WireType.LengthDelimited).string(message);
  return Buffer.from(writer.finish());
}
