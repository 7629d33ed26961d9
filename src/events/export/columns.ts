import { FilterError } from '../../platform/filters/filter.js';
import { parseProperty, splitNames } from '../../platform/filters/property-name.js';
import { RawJson } from '../../platform/json/raw-json.js';
import type { StoredEventText } from '../../platform/model/event.js';

export const MAX_COLUMNS = 100;

/** The fields of an event, in the order of a file without chosen columns. */
const FIELDS = ['id', 'application', 'session_id', 'category', 'name', 'data', 'timestamp'] as const;
type Field = (typeof FIELDS)[number];

/** A column of a file: a field of the event, or the value at a path inside `data`. */
export type Column =
  | { readonly name: string; readonly field: Field }
  | { readonly name: string; readonly path: readonly string[] };

/** What a file says of an event in a column. RawJson stands for a payload, an object or a list, as compact JSON. */
export type Cell = string | number | boolean | null | RawJson;

const fieldColumn = (field: Field): Column => ({ name: field, field });

export const ALL_FIELDS: readonly Column[] = FIELDS.map(fieldColumn);

/** What an application sends, so that an exported event can be sent again. */
export const SENT_FIELDS: readonly Column[] = (
  ['session_id', 'category', 'name', 'data', 'timestamp'] as const
).map(fieldColumn);

/**
 * Parses the columns of a file, e.g. `id,timestamp,data.path`. A comma inside a key is written `\,`.
 * @throws FilterError that says which column is wrong
 */
export function parseColumns(text: string): Column[] {
  const names = splitNames(text);
  if (names.length > MAX_COLUMNS) throw new FilterError(`Must be at most ${MAX_COLUMNS} columns.`);
  return names.map((name, index) => {
    const place = `Column ${index + 1}, \`${name}\``;
    if (names.indexOf(name) < index) throw new FilterError(`${place}: Must be given once.`);
    return parseColumn(name, place);
  });
}

function parseColumn(name: string, place: string): Column {
  if (isField(name)) return fieldColumn(name);
  if (!/^data[.:]/.test(name))
    throw new FilterError(`${place}: Must be ${FIELDS.join(', ')}, or a path such as data.form.first_name.`);
  try {
    const property = parseProperty(name);
    return { name, path: property.kind === 'data' ? property.path : [] };
  } catch (error) {
    throw error instanceof FilterError ? new FilterError(`${place}: ${error.message}`) : error;
  }
}

const isField = (name: string): name is Field => (FIELDS as readonly string[]).includes(name);

/** The cells of an event, in the order of the columns. An absent value and a null are both null. */
export function cellsOf(event: StoredEventText, columns: readonly Column[]): Cell[] {
  const payload: unknown = JSON.parse(event.data);
  return columns.map((column) => {
    if ('path' in column) return toCell(valueAt(payload, column.path));
    // Compact, as the event was sent.
    return column.field === 'data' ? new RawJson(JSON.stringify(payload)) : event[column.field];
  });
}

/** Paths lead through objects, not into lists. */
function valueAt(payload: unknown, path: readonly string[]): unknown {
  let value = payload;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, key))
      return null;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}

const toCell = (value: unknown): Cell =>
  typeof value === 'object' && value !== null ? new RawJson(JSON.stringify(value)) : (value as Cell);

/** A cell as text: a text as it is, anything else as JSON, and nothing for null. */
export function cellText(cell: Cell): string | null {
  if (cell === null || typeof cell === 'string') return cell;
  return cell instanceof RawJson ? cell.text : String(cell);
}
