import { setTimeout as sleep } from 'node:timers/promises';
import { withStallTimeout } from './stall-timeout.js';

describe('withStallTimeout', () => {
  async function* threeChunks(): AsyncGenerator<number> {
    for (const chunk of [1, 2, 3]) yield await Promise.resolve(chunk);
  }

  it('passes chunks on without a stall however slow their source is', async () => {
    let stalls = 0;
    async function* slowChunks(): AsyncGenerator<number> {
      for await (const chunk of threeChunks()) {
        await sleep(60);
        yield chunk;
      }
    }
    const taken = [];
    for await (const chunk of withStallTimeout(slowChunks(), 50, () => stalls++)) taken.push(chunk);
    expect(taken).toEqual([1, 2, 3]);
    await sleep(60);
    expect(stalls).toBe(0);
  });

  it('reports a stall once when a chunk is not taken', async () => {
    let stalls = 0;
    const chunks = withStallTimeout(threeChunks(), 20, () => stalls++);
    await chunks.next();
    await sleep(100);
    expect(stalls).toBe(1);
  });

  it('reports no stall after the reader has stopped', async () => {
    let stalls = 0;
    for await (const chunk of withStallTimeout(threeChunks(), 20, () => stalls++)) if (chunk === 1) break;
    await sleep(60);
    expect(stalls).toBe(0);
  });
});
