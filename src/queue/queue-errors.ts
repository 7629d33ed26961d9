/** Redis is away or did not answer in time. Nothing was accepted; whoever asked may ask again. */
export class QueueUnavailableError extends Error {
  constructor(message = 'Redis is not available right now; nothing was accepted.', options?: ErrorOptions) {
    super(message, options);
  }
}

/** More events wait than may. They are safe; new ones have to wait until workers have caught up. */
export class BacklogFullError extends Error {
  constructor(message = 'Too many events wait to be stored; nothing was accepted.') {
    super(message);
  }
}

/** True where Redis did not answer a command within REDIS_TIMEOUT; ioredis has no class or code for it. */
export const isLate = (error: unknown): boolean => (error as Error).message === 'Command timed out';
