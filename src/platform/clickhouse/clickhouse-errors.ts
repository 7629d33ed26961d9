import { ClickHouseError } from '@clickhouse/client';
import { SERVER_MEMORY } from '../embedded/clickhouse/statuses.js';
import { type CertificateProblem, certificateProblem } from '../errors/certificate-problem.js';
import { DomainError, UnavailableError } from '../errors/domain-error.js';

/** How to have a ClickHouse, for a process that has none. */
export const HOW_TO_HAVE_CLICKHOUSE =
  'Questions need ClickHouse: set CLICKHOUSE_URL, or, without DATABASE_URL, install chdb with npm ci (without --omit=optional) on Linux with glibc or on macOS.';

/** ClickHouse is away, late or overloaded, or there is none. The same question may succeed later. */
export class ClickHouseUnavailableError extends UnavailableError {
  constructor(reason: string, options?: ErrorOptions) {
    super('clickhouse_unavailable', reason, options);
  }
}

/** The question needs more than it may use. The message names the limit, and says how to narrow the question. */
export class QuestionTooLargeError extends DomainError {
  constructor(limit: string, options?: ErrorOptions, howToNarrow = HOW_TO_NARROW) {
    super('unprocessable', 'question_too_large', `${limit} ${howToNarrow}`, options);
  }
}

export const answerTooLarge = (maxBytes: number): QuestionTooLargeError =>
  new QuestionTooLargeError(
    `The answer to this question has more bytes than it may have (${maxBytes.toLocaleString('en')}).`,
  );

/** @param maxLength characters of SQL that the conditions may become */
export const tooManyConditions = (maxLength: number): QuestionTooLargeError =>
  new QuestionTooLargeError(
    `The conditions of this question are more than ClickHouse can analyse in time (${maxLength.toLocaleString('en')} characters of SQL).`,
    undefined,
    'Use fewer steps, fewer conditions, or fewer values of `in`.',
  );

const HOW_TO_NARROW = 'Ask for a shorter range of time, add filters, or group by fewer values.';

/**
 * Limits of a question, by ClickHouse's code of the exception.
 * @see https://github.com/ClickHouse/ClickHouse/blob/master/src/Common/ErrorCodes.cpp
 */
const LIMITS: Readonly<Record<string, string>> = {
  158: 'This question reads or groups more rows than it may (max_rows_to_read, max_rows_to_group_by).',
  159: 'This question takes longer than it may (max_execution_time).',
  160: 'This question would take longer than it may (max_execution_time).',
  191: 'This question compares with more values than it may (max_rows_in_set).',
  241: 'This question needs more memory than it may use (max_memory_usage).',
  307: 'This question reads more bytes than it may (max_bytes_to_read).',
  396: 'The answer to this question is larger than it may be (max_result_rows, max_result_bytes).',
};

/** Reasons why ClickHouse could answer later, by its code of the exception. */
const OUTAGES: Readonly<Record<string, string>> = {
  192: 'ClickHouse does not know the user of CLICKHOUSE_URL.',
  193: 'ClickHouse does not accept the password of CLICKHOUSE_URL.',
  194: 'ClickHouse demands a password, and CLICKHOUSE_URL has none.',
  202: 'More questions are asked at once than ClickHouse can answer.',
  209: 'ClickHouse waited too long for another server.',
  210: 'ClickHouse lost the connection to another server.',
  236: 'ClickHouse is stopping.',
  242: 'ClickHouse takes no writes right now.',
  243: 'The disk of ClickHouse is full.',
  252: 'ClickHouse has too many parts to merge.',
  319: 'ClickHouse does not know whether it stored the rows.',
  439: 'ClickHouse cannot start another thread.',
  516: 'ClickHouse does not accept the user and password of CLICKHOUSE_URL.',
  999: 'ClickHouse Keeper is not available.',
};

const OUT_OF_MEMORY = '241';

/** What an error of the client means: a domain error, or the same error if the statement itself is wrong. */
export function fromClickHouseError(error: unknown): unknown {
  if (error instanceof DomainError) return error;
  const options = { cause: error };
  if (!(error instanceof ClickHouseError))
    return new ClickHouseUnavailableError(
      `ClickHouse, which answers questions, ${describeConnectionError(error)}.`,
      options,
    );
  const { code, message } = error;
  if (code === OUT_OF_MEMORY && SERVER_MEMORY.test(message))
    return new ClickHouseUnavailableError(
      'The questions of this moment need more memory than ClickHouse may use.',
      options,
    );
  const limit = LIMITS[code];
  if (limit !== undefined) return new QuestionTooLargeError(limit, options);
  const outage = OUTAGES[code];
  return outage === undefined ? error : new ClickHouseUnavailableError(outage, options);
}

const CERTIFICATE_PROBLEMS: Readonly<Record<CertificateProblem, string>> = {
  'unknown issuer': 'has a certificate of an unknown issuer',
  'other name': 'has a certificate for another host name',
  expired: 'has a certificate that has expired',
};

/** Without addresses, which must not reach a caller. */
function describeConnectionError(error: unknown): string {
  const { code } = (error ?? {}) as { code?: unknown };
  if (typeof code !== 'string') return 'cannot be reached';
  if (code === 'ENOTFOUND') return `cannot be reached: its host name is unknown (${code})`;
  const problem = certificateProblem(code);
  return `${problem === undefined ? 'cannot be reached' : CERTIFICATE_PROBLEMS[problem]} (${code})`;
}

/** The code of an exception of ClickHouse, such as `60` for an unknown table; undefined if the error comes from elsewhere. */
export function clickHouseCode(error: unknown): string | undefined {
  if (error instanceof ClickHouseError) return error.code;
  return error instanceof DomainError ? clickHouseCode(error.cause) : undefined;
}

/** Codes of Node.js of a connection that ended in the middle of a request. */
const LOST_CONNECTIONS = new Set(['ECONNRESET', 'EPIPE']);

/** Whether ClickHouse has ended while it worked on a statement: it crashed, was killed, or was cut off. */
export const isConnectionLost = (error: unknown): boolean =>
  error instanceof ClickHouseUnavailableError &&
  LOST_CONNECTIONS.has(String((error.cause as { code?: unknown } | undefined)?.code));
