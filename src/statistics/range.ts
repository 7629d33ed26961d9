import { InvalidParametersError } from '../platform/errors/domain-error.js';
import {
  isDate,
  now,
  parseBound,
  type Timestamp,
  timestampAt,
  TimestampError,
} from '../platform/time/timestamp.js';
import { endOfDate, startOfDate } from './buckets.js';

/** The length of a range without `from`. */
const DEFAULT_RANGE_MS = 86_400_000;

/** A range of time: `from` inclusive, `to` exclusive. */
export interface Range {
  from: Timestamp;
  to: Timestamp;
}

/** One parameter has an invalid value, or one that is invalid together with the others. */
export class InvalidParameterError extends InvalidParametersError {
  constructor(parameter: string, reason: string) {
    super({ [parameter]: [reason] });
  }
}

/**
 * Reads a range. A date stands for the whole day in the time zone, at either end.
 * @throws InvalidParameterError
 */
export function readRange({ from, to }: { from?: string; to?: string }, timezone: string): Range {
  const end = to === undefined ? now() : readEnd('to', to, timezone);
  const start =
    from === undefined
      ? parsing('from', () => timestampAt(end.milliseconds - DEFAULT_RANGE_MS))
      : readEnd('from', from, timezone);
  if (start.text >= end.text) throw new InvalidParameterError('from', 'Must be before `to`.');
  return { from: start, to: end };
}

function readEnd(parameter: 'from' | 'to', text: string, timezone: string): Timestamp {
  return parsing(parameter, () => {
    const inUtc = parseBound(text, 'after');
    if (!isDate(text)) return inUtc;
    return timestampAt(parameter === 'from' ? startOfDate(text, timezone) : endOfDate(text, timezone));
  });
}

function parsing(parameter: string, parse: () => Timestamp): Timestamp {
  try {
    return parse();
  } catch (error) {
    if (error instanceof TimestampError) throw new InvalidParameterError(parameter, error.message);
    throw error;
  }
}
