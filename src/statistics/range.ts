import {
  isDate,
  now,
  parseBound,
  type Timestamp,
  timestampAt,
  TimestampError,
} from '../platform/time/timestamp.js';
import { endOfDate, startOfDate } from './buckets.js';

/** Milliseconds that are looked back on unless told otherwise. */
const LOOK_BACK = 86_400_000;

/** From one instant, inclusive, to another, exclusive. */
export interface Range {
  from: Timestamp;
  to: Timestamp;
}

/** A question that cannot be answered as it was asked; `parameter` is what to change. */
export class QuestionError extends Error {
  constructor(
    readonly parameter: string,
    message: string,
  ) {
    super(message);
  }
}

/**
 * Reads a range. A date is one of the time zone, and lies in the range as a whole, at either end.
 * @throws QuestionError
 */
export function readRange({ from, to }: { from?: string; to?: string }, timezone: string): Range {
  const end = to === undefined ? now() : readEnd('to', to, timezone);
  const start =
    from === undefined
      ? reading('from', () => timestampAt(end.milliseconds - LOOK_BACK))
      : readEnd('from', from, timezone);
  if (start.text >= end.text) throw new QuestionError('from', 'Must lie before `to`.');
  return { from: start, to: end };
}

function readEnd(parameter: 'from' | 'to', text: string, timezone: string): Timestamp {
  return reading(parameter, () => {
    const inUtc = parseBound(text, 'after');
    if (!isDate(text)) return inUtc;
    return timestampAt(parameter === 'from' ? startOfDate(text, timezone) : endOfDate(text, timezone));
  });
}

function reading(parameter: string, read: () => Timestamp): Timestamp {
  try {
    return read();
  } catch (error) {
    if (error instanceof TimestampError) throw new QuestionError(parameter, error.message);
    throw error;
  }
}
