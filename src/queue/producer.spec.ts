import type { Job } from 'bull';
import { jobData, textOfJob } from './producer.js';
import { batchCost, MAX_BATCH_SIZE } from './queue.constants.js';

/** A job as Bull reads it from Redis. It formats the data of a job as JSON. */
const jobWith = (data: unknown): Job<string> => ({ data: JSON.stringify(data) }) as Job<string>;

describe('textOfJob()', () => {
  const events = [{ name: 'a "quoted" \\ name' }, { name: '漢\u2028' }];

  it('returns the array of the texts that were queued', () => {
    const data = jobData(events.map((event) => JSON.stringify(event)));
    expect(textOfJob(jobWith(data))).toBe(JSON.stringify(events));
  });

  it('returns the array of a job of version 0.1', () => {
    expect(textOfJob(jobWith(events))).toBe(JSON.stringify(events));
  });
});

describe('batchCost()', () => {
  it('is the number of items, or more if they are large', () => {
    expect(batchCost(500, 500 * 300)).toBe(500);
    expect(batchCost(70, 70 * 64 * 1024)).toBeGreaterThan(MAX_BATCH_SIZE);
  });
});
