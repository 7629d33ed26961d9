import type { FastifyRequest } from 'fastify';
import type { DomainError } from '../platform/errors/domain-error.js';
import type { RejectionCode } from '../platform/model/rejection.js';
import type { RejectionsRecorder } from './rejections.recorder.js';

/** Rejection codes of bodies that are refused as a whole, by the codes of their errors. */
const REJECTION_CODES = new Map<string, RejectionCode>([
  ['body_too_large', 'too_large'],
  ['too_many_events', 'too_large'],
  ['not_utf8', 'not_utf8'],
  ['unsupported_media_type', 'unsupported_media_type'],
  ['malformed_encoding', 'unsupported_media_type'],
]);

/**
 * Records ingest requests that were refused as a whole before any event was read, so that a sender that is set up wrongly
 * becomes visible.
 */
export function recordRefusedBodies(recorder: RejectionsRecorder) {
  return ({ code: errorCode, message }: DomainError, request: FastifyRequest): void => {
    const code = REJECTION_CODES.get(errorCode);
    if (code === undefined || request.routeOptions.config.access !== 'ingest') return;
    const { application } = request.caller;
    recorder.record({ application, code, errors: { body: [message] }, event: undefined, observed: false });
  };
}
