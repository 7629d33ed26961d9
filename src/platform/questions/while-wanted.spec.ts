import { EventEmitter, once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { whileWanted } from './while-wanted.js';

const response = (): ServerResponse => new EventEmitter() as ServerResponse;

/** Statements that end only when they are cancelled. */
const endless = async (signal: AbortSignal): Promise<never> => {
  await once(signal, 'abort');
  throw new Error('The statement was cancelled.');
};

describe('A question', () => {
  it('is cancelled after its time, and reported as busy with the time', async () => {
    await expect(whileWanted(response(), endless, 20)).rejects.toMatchObject({
      kind: 'unavailable',
      code: 'busy',
      retryAfterSeconds: 2,
      message: expect.stringMatching(/within 0\.02 seconds/) as string,
    });
  });

  it('is cancelled when its client leaves', async () => {
    const left = response();
    const asked = whileWanted(left, endless);
    left.emit('close');
    await expect(asked).rejects.toThrow('The statement was cancelled.');
  });

  it('is cancelled at once if its client has left before', async () => {
    const left = Object.assign(response(), { closed: true });
    await expect(
      whileWanted(left, (signal) => {
        signal.throwIfAborted();
        return Promise.resolve();
      }),
    ).rejects.toThrow('aborted');
  });

  it('leaves its own failure and its answer as they are', async () => {
    await expect(whileWanted(response(), () => Promise.reject(new Error('Its own.')))).rejects.toThrow(
      'Its own.',
    );
    await expect(whileWanted(response(), () => Promise.resolve('answer'))).resolves.toBe('answer');
  });
});
