import { setTimeout as sleep } from 'node:timers/promises';

export interface RetryOptions {
  /** Milliseconds before the second attempt; doubles with each failure. */
  readonly minBackoffMs?: number;
  readonly maxBackoffMs?: number;
  /** Ends the loop: the current or next wait rejects with an AbortError. */
  readonly signal: AbortSignal;
  /** Called after each failure. Rethrow to stop retrying. */
  readonly onFailure: (error: unknown, backoffMs: number) => void;
}

/**
 * Repeats `attempt` with exponential backoff until it succeeds.
 * @throws whatever `onFailure` throws; an AbortError when the signal aborts during a wait
 */
export async function retryForever<Result>(
  attempt: () => Promise<Result>,
  { minBackoffMs = 100, maxBackoffMs = 5000, signal, onFailure }: RetryOptions,
): Promise<Result> {
  for (let backoffMs = minBackoffMs; ; backoffMs = Math.min(backoffMs * 2, maxBackoffMs)) {
    try {
      return await attempt();
    } catch (error) {
      onFailure(error, backoffMs);
    }
    await sleep(backoffMs, undefined, { signal });
  }
}
