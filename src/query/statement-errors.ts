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
  /(?:\.? ?In scope|:? in scope |:? while executing|: While |\. Maybe you meant|Expected one of)[^]*$/i;

const SYNTAX_ERROR = /failed at position \d+[^]*?\(line (\d+), col (\d+)\): ([^]*)$/;

const MAX_TEXT_LENGTH = 60;
const MAX_MESSAGE_LENGTH = 300;

/** The statement of a caller is wrong. Other errors stay as they are. */
export function toStatementError(error: unknown): unknown {
  if (!(error instanceof ClickHouseError)) return error;
  return new InvalidFieldsError({ sql: [explain(error)] }, 'ClickHouse cannot run this query.');
}

function explain({ code, type, message }: ClickHouseError): string {
  if (code === UNKNOWN_TABLE)
    return 'There is no such table: only `events`, and what WITH defines around the place.';
  if (!EXPLAINED.has(code)) return `ClickHouse cannot run this query (${type ?? code}).`;
  const text = message.replace(SURROUNDINGS, '').trim();
  const [, line, column, rest = ''] = SYNTAX_ERROR.exec(text) ?? [];
  if (line !== undefined)
    return `Syntax error at line ${line}, column ${column}: ${shortened(rest.trim(), MAX_TEXT_LENGTH) || 'the end'}`;
  return `${shortened(text, MAX_MESSAGE_LENGTH)} (${type ?? code})`;
}

const shortened = (text: string, length: number): string =>
  text.length > length ? `${text.slice(0, length).toWellFormed()}…` : text;
