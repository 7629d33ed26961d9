import { isUtf8 } from 'node:buffer';
import type { Timeslice } from '../platform/async/timeslice.js';
import { environment } from '../platform/config/environment.js';
import { malformedJson } from '../platform/http/http-errors.js';
import { JsonScanner, type ScannedValue } from '../platform/json/json-scanner.js';
import { keptText } from '../rejections/rejection-row.js';
import { EVENT_BOUNDS, malformed, refuse, type RefusedVerdict, refuseOversized } from './event-reader.js';
import { tooManyEvents } from './submission.js';

/** Bytes of values that are parsed together. */
const MAX_RUN_BYTES = 16 * 1024;

/** The JSON text of a value of a body. */
export type ValueText = () => string;

/** A value of a body: parsed, or with the verdict because of which it must not be parsed. */
export type BodyValue =
  | {
      readonly scanned: ScannedValue;
      readonly text: ValueText;
      readonly value: unknown;
      readonly unread: undefined;
    }
  | { readonly scanned: ScannedValue; readonly text: ValueText; readonly unread: RefusedVerdict };

/**
 * Finds the values of a body before one of them is parsed, so that a body beyond a limit costs no more than that.
 * @param isLines true if every line is a value (NDJSON); false for an array of values or a single value
 * @throws DomainError `too_many_events`, `malformed_json`
 */
export async function scanBody(
  bytes: Buffer,
  isLines: boolean,
  slice: Timeslice,
  maxValues = environment.EVENTS_LIMIT,
): Promise<JsonScanner> {
  const scanner = new JsonScanner(bytes, isLines, EVENT_BOUNDS, maxValues);
  await scanner.run(slice);
  if (scanner.hasTooMany) throw tooManyEvents(maxValues);
  if (scanner.syntaxError !== undefined) throw malformedJson(scanner.syntaxError);
  return scanner;
}

/** Parses the values of a body that was scanned, those that may be parsed. */
export function* parseValues(
  bytes: Buffer,
  values: readonly ScannedValue[],
  isLines: boolean,
): Generator<BodyValue> {
  const mayBeInvalid = !isUtf8(bytes);
  let run: unknown[] = [];
  let runStart = 0;
  for (const [index, scanned] of values.entries()) {
    const text = (): string => bytes.toString('utf8', scanned.start, scanned.end);
    const unread = unreadable(bytes, scanned, mayBeInvalid, isLines);
    if (unread) {
      yield { scanned, text: () => keptText(bytes, scanned.start, scanned.end), unread };
      continue;
    }
    if (index >= runStart + run.length) {
      run = parseRun(bytes, values, index, isLines || mayBeInvalid);
      runStart = index;
    }
    yield { scanned, text, value: run[index - runStart], unread: undefined };
  }
}

/** The verdict on a value that must not be parsed; undefined for one that may be. */
function unreadable(
  bytes: Buffer,
  value: ScannedValue,
  mayBeInvalid: boolean,
  isLines: boolean,
): RefusedVerdict | undefined {
  if (mayBeInvalid && !isUtf8(bytes.subarray(value.start, value.end)))
    return refuse('not_utf8', {
      event: [isLines ? 'The line is not valid UTF-8.' : 'Its text is not valid UTF-8.'],
    });
  if (value.syntaxError !== undefined) return malformed(value.syntaxError);
  return value.exceeded === undefined ? undefined : refuseOversized(value, deepFieldOf(bytes, value));
}

/**
 * Parses the value at `from` and those that follow it in the same array, as far as they are readable and small: V8 parses
 * objects of the same shape faster together.
 */
function parseRun(bytes: Buffer, values: readonly ScannedValue[], from: number, isAlone: boolean): unknown[] {
  const { start, end } = values[from] as ScannedValue;
  let runEnd = end;
  for (let next = from + 1; !isAlone && next < values.length; next++) {
    const value = values[next] as ScannedValue;
    if (value.exceeded !== undefined || value.end - start > MAX_RUN_BYTES) break;
    runEnd = value.end;
  }
  return JSON.parse(`[${bytes.toString('utf8', start, runEnd)}]`) as unknown[];
}

/** The field of an event that is nested too deep. A longer name than any that a response shows is cut. */
function deepFieldOf(bytes: Buffer, { deepField, end }: ScannedValue): string | undefined {
  if (deepField === undefined) return undefined;
  const text = bytes.toString('utf8', deepField, Math.min(end, deepField + 1024));
  const quoted = /^"(?:[^"\\]|\\u[\da-f]{4}|\\[^u])*/i.exec(text)?.[0] ?? '"';
  return JSON.parse(`${quoted}"`) as string;
}
