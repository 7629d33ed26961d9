import { UnavailableError } from '../platform/errors/domain-error.js';

/** Redis is away, and nothing was accepted; whoever asked may ask again. */
export class QueueUnavailableError extends UnavailableError {
  /** Where it answered that it would not, for want of memory. */
  static refused(options?: ErrorOptions): QueueUnavailableError {
    return new QueueUnavailableError('Redis refused the events; nothing was accepted.', options);
  }

  /** Where Redis was asked, and its answer did not come. */
  static unconfirmed(options?: ErrorOptions): QueueUnavailableError {
    return new QueueUnavailableError(
      'Redis did not confirm in time; the events may have been accepted or not. Send them again: with their timestamps they are stored once.',
      options,
    );
  }

  constructor(message = 'Redis is not available right now; nothing was accepted.', options?: ErrorOptions) {
    super('queue_unavailable', message, options);
  }
}

/** More events wait than may. They are safe; new ones have to wait until workers have caught up. */
export class BacklogFullError extends UnavailableError {
  constructor(message = 'Too many events wait to be stored; nothing was accepted.') {
    super('backlog_full', message, { retryAfterSeconds: 5 });
  }
}

/** True where Redis did not answer a command within REDIS_TIMEOUT; ioredis has no class or code for it. */
export const isCommandTimeout = (error: unknown): boolean => (error as Error).message === 'Command timed out';
