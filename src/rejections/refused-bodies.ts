import type { FastifyRequest } from 'fastify';
import { RawBody } from '../platform/http/bodies.js';
import type { Caller } from '../auth/caller.js';
import type { DomainError } from '../platform/errors/domain-error.js';
import type { RejectionCode } from '../platform/model/rejection.js';
import { keptText } from './rejection-row.js';
import type { RejectionsRecorder } from './rejections.recorder.js';

/** Rejection codes of bodies that are refused as a whole, by the codes of their errors. */
const CODES_OF_BODIES = new Map<string, RejectionCode>([
  ['body_too_large', 'too_large'],
  ['too_many_events', 'too_large'],
  ['not_utf8', 'not_utf8'],
  ['unsupported_media_type', 'unsupported_media_type'],
  ['malformed_protobuf', 'unsupported_media_type'],
  ['resource_too_large', 'too_large'],
  ['malformed_encoding', 'unsupported_media_type'],
]);

/** Whether a body begins as JSON that holds events. Another one is encoded: nobody could read it, or see that it holds a key. */
const isLegible = (bytes: Buffer): boolean => /^[\s\uFEFF]*[[{]/.test(bytes.toString('utf8', 0, 64));

/**
 * Records ingest requests that were refused as a whole before any event was read, so that a sender that is set up wrongly
 * becomes visible.
 */
export function recordRefusedBodies(recorder: RejectionsRecorder) {
  return ({ code: errorCode, message }: DomainError, request: FastifyRequest): void => {
    const { access, dialect } = request.routeOptions.config;
    const { body } = request;
    // EventsPipe records the others itself, with what it has read of them.
    const isMalformed = errorCode === 'malformed_json' && body instanceof RawBody;
    const code = isMalformed ? 'malformed_json' : CODES_OF_BODIES.get(errorCode);
    if (code === undefined || access !== 'ingest') return;
    // Null if nobody knows who sent it.
    const caller = request.caller as Caller | null;
    if (!caller) return;
    const { application } = caller;
    recorder.record({
      application,
      code,
      errors: { body: [message] },
      event: isMalformed && isLegible(body.bytes) ? keptText(body.bytes) : undefined,
      observed: false,
      ...(dialect && { dialect: dialect.name }),
    });
  };
}
