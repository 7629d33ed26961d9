/** The queue between the processes that accept events and those that store them. */
export const INGESTION_QUEUE = 'ingestion';

/** The name of a work order, which informs a worker that items wait in the buffer. It holds none itself. */
export const ORDER_JOB = 'store';

/** The name of jobs that hold items themselves: those of earlier versions, and those of parked items. */
export const BATCH_JOB = 'batch';

/** Items of a batch: enough for one statement to be worth its round trip, and few enough for a quick retry. */
export const MAX_BATCH_SIZE = 1000;

/** Bytes of JSON that cost as much as an item: a batch of few but large items must not be a long one. */
export const BYTES_PER_ITEM = 4096;

/** What a batch costs, in items. It is full at MAX_BATCH_SIZE. */
export const batchCost = (items: number, length: number): number =>
  Math.max(items, Math.ceil(length / BYTES_PER_ITEM));

/**
 * Milliseconds after which an order that has not looked into the buffer no longer counts as one that will: its worker has died,
 * or PostgreSQL is slow.
 */
export const LEASE_MS = 2000;

/** For Bull's limits of attempts and stalls, which would lose events. */
export const UNLIMITED = Number.MAX_SAFE_INTEGER;

/** The name of the backoff strategy, which doubles the delay between attempts from 1 to 30 seconds. */
export const CAPPED_BACKOFF = 'capped';
export const cappedBackoff = (attempts: number): number => Math.min(2 ** (attempts - 1) * 1000, 30_000);
