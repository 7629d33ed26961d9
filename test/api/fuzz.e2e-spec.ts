import { randomInt } from 'node:crypto';
import { fuzz } from '../fuzz/fuzz.js';

/** `npm run test:fuzz` sends many more requests. */
const REQUESTS = 1000;

const seeds: [number, number] = [1, randomInt(2 ** 31)];

describe('Fuzzed requests', () => {
  it(`get only documented responses and leave stored data intact (seeds ${seeds.join(' and ')})`, async () => {
    const { findings, requests, events } = await fuzz({ requests: REQUESTS, seeds });
    expect(findings).toEqual([]);
    expect(requests).toBeGreaterThanOrEqual(REQUESTS);
    expect(events).toBeGreaterThan(0);
  });
});
