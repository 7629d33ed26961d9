/** The queue between those who accept events and those who store them. */
export const INGESTION_QUEUE = 'ingestion';

/** A job: a batch of items to be stored together. */
export const BATCH_JOB = 'batch';

/** Items in a job at the most: enough to make a statement worth its round trip, little enough to retry in a moment. */
export const MAX_BATCH_SIZE = 1000;

/** Times that a job may be taken over from a worker that died on it: as often as it takes. */
export const UNLIMITED = Number.MAX_SAFE_INTEGER;

/** The name of the pause between two tries of a job: it doubles from a second to half a minute. */
export const CAPPED_BACKOFF = 'capped';
export const cappedBackoff = (attempts: number): number => Math.min(2 ** (attempts - 1) * 1000, 30_000);

/** Bull's lists of the jobs that are not done: those that wait, are under way, or failed and are tried again later. */
export const UNFINISHED = ['wait', 'active', 'delayed'];
