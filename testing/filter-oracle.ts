import type { Filter, Property, Scalar } from '../src/platform/filters/filter.js';

/** What a filter reads of an event. */
export interface FilteredEvent {
  readonly application: string;
  readonly category: string;
  readonly name: string;
  readonly session_id: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Whether an event matches a filter: the meaning of filters, written down in JavaScript. */
export function matches(filter: Filter, event: FilteredEvent): boolean {
  switch (filter.kind) {
    case 'all':
      return filter.filters.every((one) => matches(one, event));
    case 'any':
      return filter.filters.some((one) => matches(one, event));
    case 'not':
      return !matches(filter.filter, event);
    case 'exists':
      return hasValue(valueOf(filter.property, event));
    case 'in':
      return (filter.values as unknown[]).includes(valueOf(filter.property, event));
    case 'contains':
    case 'begins': {
      const value = valueOf(filter.property, event);
      if (typeof value !== 'string') return false;
      return filter.kind === 'begins' ? value.startsWith(filter.text) : value.includes(filter.text);
    }
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte': {
      const order = compare(valueOf(filter.property, event), filter.bound);
      if (order === undefined) return false;
      return { gt: order > 0, gte: order >= 0, lt: order < 0, lte: order <= 0 }[filter.kind];
    }
  }
}

function hasValue(value: unknown): boolean {
  if (value === undefined || value === null) return false;
  return typeof value !== 'object' || Array.isArray(value) || Object.values(value).some(hasValue);
}

/** The value of a property: undefined if it is absent. Paths lead through objects, not through arrays. */
export function valueOf(property: Property, event: FilteredEvent): unknown {
  if (property.kind === 'field') return event[property.field];
  let value: unknown = event.data;
  for (const key of property.path) {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, key))
      return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}

/** Texts are ordered by their code points, as their UTF-8 is. */
function compare(value: unknown, bound: Scalar): number | undefined {
  if (typeof value === 'number' && typeof bound === 'number')
    return Number(value > bound) - Number(value < bound);
  if (typeof value === 'string' && typeof bound === 'string')
    return Buffer.compare(Buffer.from(value), Buffer.from(bound));
  return undefined;
}
