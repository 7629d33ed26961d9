import { FilterError, type Property } from '../../platform/filters/filter.js';
import { formatProperty, parseProperty, splitNames } from '../../platform/filters/property-name.js';

const MAX_DIMENSIONS = 2;

const TYPE = 'type';
const TYPE_PROPERTIES: readonly Property[] = [
  { kind: 'field', field: 'category' },
  { kind: 'field', field: 'name' },
];

/**
 * Parses what events are grouped by: `type`, or one or two names of properties with a comma, e.g. `category,data.plan`.
 * @throws FilterError
 */
export function parseDimensions(text: string): Property[] {
  if (text === TYPE) return [...TYPE_PROPERTIES];
  const names = splitNames(text);
  if (names.length > MAX_DIMENSIONS) throw new FilterError(`Must be at most ${MAX_DIMENSIONS} properties.`);
  const properties = names.map(parseProperty);
  if (new Set(properties.map(formatProperty)).size < properties.length)
    throw new FilterError('Must be different properties.');
  return properties;
}

/** The name of what events are grouped by, as `parseDimensions()` takes it. */
export function formatDimensions(dimensions: readonly Property[]): string {
  const text = dimensions.map(formatProperty).join();
  return text === TYPE_PROPERTIES.map(formatProperty).join() ? TYPE : text;
}
