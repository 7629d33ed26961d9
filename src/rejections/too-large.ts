import type { FastifyRequest } from 'fastify';
import type { Problem } from '../platform/http/problem.js';
import type { RejectionsRecorder } from './rejections.recorder.js';

/** Takes note of requests to send events that were refused as a whole for their size, before any event was read. */
export function noteTooLarge(recorder: RejectionsRecorder) {
  return ({ status, detail }: Problem, request: FastifyRequest): void => {
    if (status !== 413 || request.routeOptions.config.access !== 'ingest') return;
    const { application } = request.caller;
    recorder.record({
      application,
      code: 'too_large',
      errors: { body: [detail] },
      event: undefined,
      observed: false,
    });
  };
}
