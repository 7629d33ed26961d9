import { setTimeout as wait } from 'node:timers/promises';
import { withStallTimeout } from './stall-timeout.js';

describe('Pieces that must be taken in time', () => {
  async function* three(): AsyncGenerator<number> {
    for (const piece of [1, 2, 3]) yield await Promise.resolve(piece);
  }

  it('are passed on, however long they take to come', async () => {
    let late = 0;
    async function* slow(): AsyncGenerator<number> {
      for await (const piece of three()) {
        await wait(60);
        yield piece;
      }
    }
    const taken = [];
    for await (const piece of withStallTimeout(slow(), 50, () => late++)) taken.push(piece);
    expect(taken).toEqual([1, 2, 3]);
    await wait(60);
    expect(late).toBe(0);
  });

  it('are complained about once when one is left lying', async () => {
    let late = 0;
    const pieces = withStallTimeout(three(), 20, () => late++);
    await pieces.next();
    await wait(100);
    expect(late).toBe(1);
  });

  it('are not complained about when nobody wants any more', async () => {
    let late = 0;
    for await (const piece of withStallTimeout(three(), 20, () => late++)) if (piece === 1) break;
    await wait(60);
    expect(late).toBe(0);
  });
});
