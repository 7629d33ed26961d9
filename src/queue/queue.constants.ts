/** The queue between the processes that accept events and those that store them. */
export const INGESTION_QUEUE = 'ingestion';

/** The name of the jobs: each is a batch of items that are stored together. */
export const BATCH_JOB = 'batch';

/** Items in a job: enough for one statement to be worth its round trip, and few enough for a quick retry. */
export const MAX_BATCH_SIZE = 1000;

/** Characters of JSON that cost as much as an item: a batch of few but large items must not be a long one. */
const CHARACTERS_PER_ITEM = 4096;

/** What a batch costs, in items. It is full at MAX_BATCH_SIZE. */
export const batchCost = (items: number, length: number): number =>
  Math.max(items, Math.ceil(length / CHARACTERS_PER_ITEM));

/** For Bull's limits of attempts and stalls, which would lose events. */
export const UNLIMITED = Number.MAX_SAFE_INTEGER;

/** The name of the backoff strategy, which doubles the delay between attempts from 1 to 30 seconds. */
export const CAPPED_BACKOFF = 'capped';
export const cappedBackoff = (attempts: number): number => Math.min(2 ** (attempts - 1) * 1000, 30_000);

/** Bull's lists of unfinished jobs: queued, in flight, and waiting for another attempt. */
export const UNFINISHED_LISTS = ['wait', 'active', 'delayed'];
