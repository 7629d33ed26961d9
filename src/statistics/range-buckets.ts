import { Timeslice } from '../platform/async/timeslice.js';
import { InvalidParametersError } from '../platform/errors/domain-error.js';
import { currentQuestion } from '../platform/questions/question.js';
import { parseTimestamp, timestampAt } from '../platform/time/timestamp.js';
import { type BucketInterval, bucketStarts, leastBuckets, type WeekStart } from './buckets.js';
import type { Range } from './range.js';

const FIRST = parseTimestamp('0001-01-01T00:00:00Z');

/** Buckets of time in a response. */
export const MAX_BUCKETS = 5000;

/** Numbers in a response with `group_by`: buckets times groups. */
export const MAX_COUNTS = 20_000;

/** How a range is divided, and by how many groups. */
interface Division {
  readonly interval: BucketInterval;
  readonly timezone: string;
  readonly week_start: WeekStart;
  readonly group_by?: unknown;
  readonly limit: number;
}

/**
 * Finds the buckets in slices of time, because a zone of many shifts costs tens of milliseconds. The question pays for them.
 * @returns when each begins, in milliseconds since 1970; the first may begin before the range
 * @throws InvalidParametersError when there are more than MAX_BUCKETS, or MAX_COUNTS with groups
 */
export async function bucketsOf(division: Division, { from, to }: Range): Promise<number[]> {
  const { interval, timezone, week_start, group_by, limit } = division;
  const end = to.milliseconds + (to.text.endsWith('000Z') ? 0 : 1);
  if (leastBuckets(interval, from.milliseconds, end) > MAX_BUCKETS) throw tooManyBuckets(interval);
  const slice = new Timeslice();
  const buckets: number[] = [];
  try {
    for (const start of bucketStarts(interval, from.milliseconds, end, timezone, week_start)) {
      if (buckets.length === MAX_BUCKETS) throw tooManyBuckets(interval);
      buckets.push(start);
      if (slice.isOver) await slice.next();
    }
  } finally {
    currentQuestion()?.charge(slice.workedMs);
  }
  if (group_by !== undefined && buckets.length * limit > MAX_COUNTS)
    throw new InvalidParametersError({
      limit: [
        `Requests more than ${MAX_COUNTS.toLocaleString('en')} counts of ${buckets.length.toLocaleString('en')} buckets; ` +
          'use a lower limit, a longer interval or a shorter range.',
      ],
    });
  return buckets;
}

const tooManyBuckets = (interval: BucketInterval): InvalidParametersError =>
  new InvalidParametersError({
    interval: [
      `Divides this range into more than ${MAX_BUCKETS.toLocaleString('en')} buckets; ` +
        `use a ${interval === 'year' ? 'shorter range' : 'longer interval'}.`,
    ],
  });

/** A bucket that would begin before the first valid timestamp begins with that timestamp. */
export function startText(start: number): string {
  return start < FIRST.milliseconds ? FIRST.text : timestampAt(start).text;
}
