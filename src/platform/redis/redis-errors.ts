import { UnavailableError } from '../errors/domain-error.js';

/** Redis is not connected, did not reply in time, or refused a command. On the wire: `queue_unavailable`. */
export class RedisUnavailableError extends UnavailableError {
  constructor(detail = 'Redis is not available right now.', options?: ErrorOptions) {
    super('queue_unavailable', detail, options);
  }
}

/** True when Redis did not reply to a command within REDIS_TIMEOUT. ioredis 5 has neither a class nor a code for it. */
export const isCommandTimeout = (error: unknown): boolean => (error as Error).message === 'Command timed out';
