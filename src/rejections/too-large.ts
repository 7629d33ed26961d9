import type { FastifyRequest } from 'fastify';
import type { DomainError } from '../platform/errors/domain-error.js';
import type { RejectionsRecorder } from './rejections.recorder.js';

/** Records ingest requests that were refused as a whole for their size, before any event was read. */
export function recordTooLarge(recorder: RejectionsRecorder) {
  return ({ kind, message }: DomainError, request: FastifyRequest): void => {
    if (kind !== 'too_large' || request.routeOptions.config.access !== 'ingest') return;
    const { application } = request.caller;
    recorder.record({
      application,
      code: 'too_large',
      errors: { body: [message] },
      event: undefined,
      observed: false,
    });
  };
}
