import { UnavailableError } from '../platform/errors/domain-error.js';

/** BACKLOG_LIMIT or the memory of Redis is reached. Queued events are safe; the workers must catch up before new ones fit. */
export class BacklogFullError extends UnavailableError {
  constructor() {
    super('backlog_full', 'Too many events wait to be stored; nothing was accepted.', {
      retryAfterSeconds: 5,
    });
  }
}
