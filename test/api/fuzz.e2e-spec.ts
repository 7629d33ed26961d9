import { fuzz } from '../fuzz/fuzz.js';

/** `npm run test:fuzz` sends many more requests. */
const REQUESTS = 1000;

/** The same requests in every run, so that a failure can be repeated. `npm run test:fuzz` uses a random seed. */
const SEED = 1;

describe('Fuzzed requests', () => {
  it('get only documented responses and leave stored data intact', async () => {
    const { findings, requests, events } = await fuzz({ requests: REQUESTS, seeds: [SEED] });
    expect(findings).toEqual([]);
    expect(requests).toBeGreaterThanOrEqual(REQUESTS);
    expect(events).toBeGreaterThan(0);
  });
});
