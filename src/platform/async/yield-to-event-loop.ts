import { setImmediate } from 'node:timers/promises';

/**
 * Lets pending I/O callbacks run before a long computation continues. Call it every few milliseconds of synchronous work,
 * so that other requests and the replies of Redis and PostgreSQL are not delayed.
 */
export const yieldToEventLoop = (): Promise<void> => setImmediate();
