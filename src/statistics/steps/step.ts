import { type Filter, FilterError } from '../../platform/filters/filter.js';
import { JsonFilterError, parseJsonFilter } from '../../platform/filters/json-filter.js';
import { isJsonObject } from '../../platform/json/json-object.js';
import { textViolation } from '../../platform/model/event-text.js';
import { parsePart, PlacedError } from './placed-error.js';

/** Events of a category, or of one of its types, that meet conditions. */
export interface Step {
  readonly category: string;
  readonly name?: string;
  /** The conditions as the caller wrote them. */
  readonly where?: unknown;
  /** All of it as one condition. */
  readonly filter: Filter;
}

const FIELDS = ['category', 'name', 'where'];

/** @throws FilterError whose message begins with the place of what is wrong, e.g. `where.data.price.gte: Must be …` */
export function parseStep(value: unknown): Step {
  if (!isJsonObject(value))
    throw new FilterError('Must be an object with `category`, and `name` or `where`.');
  const unknown = Object.keys(value).find((field) => !FIELDS.includes(field));
  if (unknown !== undefined) throw new PlacedError([unknown], 'Unknown field.');
  const { category, name, where } = value;
  const filters = [parsePart('category', () => fieldFilter('category', category))];
  if (name !== undefined) filters.push(parsePart('name', () => fieldFilter('name', name)));
  if (where !== undefined) filters.push(parsePart('where', () => parseWhere(where)));
  return {
    category: category as string,
    ...(name !== undefined && { name: name as string }),
    ...(where !== undefined && { where }),
    filter: { kind: 'all', filters },
  };
}

/** @throws FilterError whose message begins with the place of what is wrong, e.g. `data.price.gte: Must be …` */
export function parseWhere(value: unknown): Filter {
  try {
    return parseJsonFilter(value, []);
  } catch (error) {
    if (!(error instanceof JsonFilterError)) throw error;
    const [place = '', [message = ''] = []] = Object.entries(error.errors)[0] ?? [];
    throw new PlacedError(place === '' ? [] : [place], message);
  }
}

function fieldFilter(field: 'category' | 'name', value: unknown): Filter {
  const violation = textViolation(value);
  if (violation !== undefined) throw new FilterError(violation.message);
  return { kind: 'in', property: { kind: 'field', field }, values: [value as string] };
}
