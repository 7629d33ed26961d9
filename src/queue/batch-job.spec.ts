import type { Job } from 'bull';
import { entryOfJob } from './batch-job.js';
import { arrayOf } from './entry.js';
import { batchCost, MAX_BATCH_SIZE } from './queue.constants.js';

/** A job as Bull reads it from Redis. It formats the data of a job as JSON. */
const jobWith = (data: unknown): Job<string> =>
  ({
    data: JSON.stringify(data),
    opts: { items: 2, traces: ['trace'] },
    timestamp: 4711,
  }) as unknown as Job<string>;

describe('entryOfJob()', () => {
  const events = [{ name: 'a "quoted" \\ name' }, { name: '漢\u2028' }];

  it('returns the items that were queued as the text of an array, with their time and their traces', () => {
    const entry = entryOfJob(jobWith(JSON.stringify(events)));
    expect(entry).toMatchObject({ items: 2, acceptedAt: 4711, traces: ['trace'] });
    expect(arrayOf([entry])).toBe(JSON.stringify(events));
  });

  it('returns the items of a job of version 0.1', () => {
    expect(arrayOf([entryOfJob(jobWith(events))])).toBe(JSON.stringify(events));
  });
});

describe('batchCost()', () => {
  it('is the number of items, or more if they are large', () => {
    expect(batchCost(500, 500 * 300)).toBe(500);
    expect(batchCost(70, 70 * 64 * 1024)).toBeGreaterThan(MAX_BATCH_SIZE);
  });
});
