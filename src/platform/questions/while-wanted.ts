import type { ServerResponse } from 'node:http';
import { environment } from '../config/environment.js';
import { UnavailableError } from '../errors/domain-error.js';
import { RETRY_AFTER_SECONDS } from './questions.js';

/**
 * Milliseconds for the answer to a question, the wait for a connection included. A question may be several statements, each of
 * which has QUERY_TIMEOUT and may wait for those of others.
 */
export const QUESTION_TIMEOUT_MS = Math.max(30_000, 4 * environment.QUERY_TIMEOUT);

/**
 * Runs the statements of a question with a signal that is aborted when the client leaves, or when the answer has taken too long.
 * @throws UnavailableError `busy` if the answer has taken too long
 */
export async function whileWanted<Result>(
  response: ServerResponse,
  work: (signal: AbortSignal) => Promise<Result>,
  timeoutMs = QUESTION_TIMEOUT_MS,
): Promise<Result> {
  const unwanted = new AbortController();
  const abort = (): void => unwanted.abort();
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    abort();
  }, timeoutMs);
  response.once('close', abort);
  // The client may have left while its key was looked up.
  if (response.closed) abort();
  try {
    return await work(unwanted.signal);
  } catch (error) {
    throw isLate ? tooLate(timeoutMs, error) : error;
  } finally {
    clearTimeout(timer);
    response.off('close', abort);
  }
}

const tooLate = (timeoutMs: number, cause: unknown): UnavailableError =>
  new UnavailableError(
    'busy',
    `ClickHouse could not answer within ${timeoutMs / 1000} seconds beside other questions; ask again, or for less.`,
    { retryAfterSeconds: RETRY_AFTER_SECONDS, cause },
  );
