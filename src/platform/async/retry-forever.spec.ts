import { retryForever } from './retry-forever.js';

/** An attempt that fails a number of times before it succeeds. */
function failing(times: number): () => Promise<string> {
  return () => (times-- > 0 ? Promise.reject(new Error('not yet')) : Promise.resolve('done'));
}

describe('retryForever()', () => {
  const signal = new AbortController().signal;

  it('returns the result of the first attempt that succeeds', async () => {
    const failures: unknown[] = [];
    const onFailure = (error: unknown): void => void failures.push(error);
    await expect(retryForever(failing(2), { signal, onFailure, minBackoffMs: 1 })).resolves.toBe('done');
    expect(failures).toEqual([new Error('not yet'), new Error('not yet')]);
  });

  it('doubles the backoff with each failure, up to the maximum', async () => {
    const backoffs: number[] = [];
    await retryForever(failing(5), {
      signal,
      minBackoffMs: 1,
      maxBackoffMs: 5,
      onFailure: (_, backoffMs) => backoffs.push(backoffMs),
    });
    expect(backoffs).toEqual([1, 2, 4, 5, 5]);
  });

  it('rejects with what `onFailure` throws, without another attempt', async () => {
    let attempts = 0;
    const attempt = (): Promise<never> => {
      attempts++;
      return Promise.reject(new Error('wrong password'));
    };
    const onFailure = (error: unknown): never => {
      throw error;
    };
    await expect(retryForever(attempt, { signal, onFailure })).rejects.toThrow('wrong password');
    expect(attempts).toBe(1);
  });

  it('rejects when the signal aborts during the backoff', async () => {
    const controller = new AbortController();
    const result = retryForever(failing(Infinity), {
      signal: controller.signal,
      minBackoffMs: 60_000,
      onFailure: () => controller.abort(),
    });
    await expect(result).rejects.toMatchObject({ name: 'AbortError' });
  });
});
