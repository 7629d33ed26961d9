import type { Job, JobOptions } from 'bull';
import type { Entry } from './entry.js';
import { CAPPED_BACKOFF, UNLIMITED } from './queue.constants.js';

/** Options of a job that holds items itself. They include their number, so that a worker knows it without parsing them. */
interface BatchJobOptions extends JobOptions {
  items: number;
  /** The `traceparent`s of requests whose items the job holds. */
  traces?: string[];
}

/** The options of a job that holds one item, which a worker puts into the buffer after `delay` milliseconds. */
export const parkedOptions = (delay: number): BatchJobOptions => ({
  items: 1,
  delay,
  attempts: UNLIMITED,
  backoff: { type: CAPPED_BACKOFF },
  removeOnComplete: true,
  // The data is parsed by `entryOfJob` once, and not by Bull whenever it looks at the job.
  preventParsingData: true,
});

/** The items of a job. Its data is the text of their JSON array; jobs of version 0.1 hold the array itself. */
export function entryOfJob({ data, opts, timestamp }: Job<string>): Entry {
  const { items, traces = [] } = opts as BatchJobOptions;
  const array = data.startsWith('"') ? (JSON.parse(data) as string) : data;
  return { items, acceptedAt: timestamp, isAwaited: false, traces, text: array.slice(1, -1) };
}
