import { Readable } from 'node:stream';
import { yieldToEventLoop } from '../platform/async/yield-to-event-loop.js';
import { JSON_CONTENT_TYPE } from '../platform/http/media-types.js';
import { BYTE_ORDER_MARK, toCsv } from '../platform/http/csv.js';
import { endOfString } from '../platform/json/exact-json.js';
import { RawJson } from '../platform/json/raw-json.js';
import type { Answer } from './answer.js';

export const ANSWER_FORMATS = ['json', 'csv', 'ndjson'] as const;
export type AnswerFormat = (typeof ANSWER_FORMATS)[number];

export const MEDIA_TYPES: Readonly<Record<AnswerFormat, string>> = {
  json: JSON_CONTENT_TYPE,
  csv: 'text/csv; charset=utf-8',
  ndjson: 'application/x-ndjson; charset=utf-8',
};

/** Rows that are written in one turn of the event loop. */
const CHUNK_SIZE = 500;

/** Types whose values are numbers, also where JSON has them as texts. */
const NUMBER = /^(?:Nullable\()?(?:U?Int\d|B?Float\d|Decimal)/;

/** One JSON object, in which the rows are as ClickHouse has written them. */
export function answerToJson({ columns, rows, ...others }: Answer): string {
  return `{"columns":${JSON.stringify(columns)},"rows":[${rows.join(',')}],${JSON.stringify(others).slice(1)}`;
}

/** A file, in parts between which other requests get a turn. */
export const toFile = (answer: Answer, format: Exclude<AnswerFormat, 'json'>): Readable =>
  Readable.from(format === 'csv' ? csv(answer) : ndjson(answer), { objectMode: false });

/** A header and the rows, as an export has them: texts as they are, other values as JSON, and an empty cell for null. */
async function* csv({ columns, rows }: Answer): AsyncGenerator<string> {
  yield `${BYTE_ORDER_MARK}${toCsv([columns.map(({ name }) => name)])}`;
  const isNumber = columns.map(({ type }) => NUMBER.test(type));
  const toCell = (json: string, column: number): string | RawJson | null => {
    if (json === 'null') return null;
    if (!json.startsWith('"')) return new RawJson(json);
    const text = JSON.parse(json) as string;
    return isNumber[column] === true ? new RawJson(text) : text;
  };
  for (const chunk of chunksOf(rows)) {
    yield toCsv(chunk.map((row) => elementsOf(row).map(toCell)));
    await yieldToEventLoop();
  }
}

/** One JSON object a line, whose keys are the names of the columns. */
async function* ndjson({ columns, rows }: Answer): AsyncGenerator<string> {
  const keys = columns.map(({ name }) => JSON.stringify(name));
  const toLine = (row: string): string =>
    `{${elementsOf(row)
      .map((json, column) => `${keys[column]}:${json}`)
      .join(',')}}\n`;
  for (const chunk of chunksOf(rows)) {
    yield chunk.map(toLine).join('');
    await yieldToEventLoop();
  }
}

function* chunksOf(rows: readonly string[]): Generator<readonly string[]> {
  for (let start = 0; start < rows.length; start += CHUNK_SIZE) yield rows.slice(start, start + CHUNK_SIZE);
}

/** The elements of a JSON array, as their texts. @param row valid JSON */
export function elementsOf(row: string): string[] {
  const elements: string[] = [];
  let [depth, start] = [0, 1];
  for (let at = 1; at < row.length; at++) {
    const character = row[at] as string;
    if (character === '"') at = endOfString(row, at);
    else if (character === '[' || character === '{') depth++;
    else if (depth > 0 && (character === ']' || character === '}')) depth--;
    else if (depth === 0 && (character === ',' || character === ']')) {
      elements.push(row.slice(start, at).trim());
      start = at + 1;
    }
  }
  return elements;
}
