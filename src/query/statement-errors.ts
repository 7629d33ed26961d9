import { ClickHouseError } from '@clickhouse/client';
import { InvalidFieldsError } from '../platform/errors/domain-error.js';

/**
 * Codes of errors whose message is about the words, the types and the values of a statement. The messages of others may name
 * what is around it: settings, tables, files.
 * @see https://github.com/ClickHouse/ClickHouse/blob/master/src/Common/ErrorCodes.cpp
 */
const EXPLAINED = new Set(
  (
    '6 8 16 20 26 27 34 35 36 38 41 42 43 44 46 47 48 50 52 53 62 63 65 68 69 70 72 80 125 128 130 131 133 152 153 162 167 168 179 ' +
    '184 190 206 207 215 258 261 306 321 352 386 395 403 407 427 446 457 467 568 593 684 694 700 702 707'
  ).split(' '),
);

const UNKNOWN_TABLE = '60';

/** Where the message turns from the statement to what is around it. */
const SURROUNDINGS =
  /(?:\.? ?In scope|:? in scope |:? while executing|: While |\. Consider |\. Maybe you meant|Expected one of)[^]*$/i;

/** Where the parser gave up, by the number of a byte. */
const SYNTAX_ERROR = /failed at position (\d+)/;

const MAX_NEAR_LENGTH = 40;
const MAX_MESSAGE_LENGTH = 300;

/**
 * The statement of a caller is wrong. Other errors stay as they are.
 * @param sql the text that was parsed, so that the place can be named
 */
export function toStatementError(error: unknown, sql?: string): unknown {
  if (!(error instanceof ClickHouseError)) return error;
  return new InvalidFieldsError({ sql: [explain(error, sql)] }, 'ClickHouse cannot run this query.');
}

function explain({ code, type, message }: ClickHouseError, sql: string | undefined): string {
  if (code === UNKNOWN_TABLE)
    return 'There is no such table: only `events`, and what WITH defines around the place.';
  if (!EXPLAINED.has(code)) return `ClickHouse cannot run this query (${type ?? code}).`;
  const position = SYNTAX_ERROR.exec(message)?.[1];
  if (position !== undefined && sql !== undefined) return describePlace(sql, Number(position));
  return `${shortened(message.replace(SURROUNDINGS, '').trim(), MAX_MESSAGE_LENGTH)} (${type ?? code})`;
}

function describePlace(sql: string, position: number): string {
  const bytes = Buffer.from(sql);
  const before = bytes.toString('utf8', 0, position - 1).split('\n');
  const near = bytes.toString('utf8', position - 1).trim();
  const place = `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
  return `Syntax error at ${place}: ${near === '' ? 'the end' : shortened(near, MAX_NEAR_LENGTH)}`;
}

const shortened = (text: string, length: number): string =>
  text.length > length ? `${text.slice(0, length).toWellFormed()}…` : text;
