import type { Property } from '../../platform/filters/filter.js';
import { formatProperty } from '../../platform/filters/property-name.js';
import { parseDimensions } from '../measures/dimensions.js';

/** What sessions are grouped by: the type of their first or last event, or properties of their first event. */
export type SessionGrouping =
  | { readonly kind: 'entry' | 'exit' }
  | { readonly kind: 'properties'; readonly properties: readonly Property[] };

/**
 * Parses `entry`, `exit`, or one or two names of properties with a comma, e.g. `application,data.path`.
 * @throws FilterError
 */
export function parseSessionGrouping(text: string): SessionGrouping {
  if (text === 'entry' || text === 'exit') return { kind: text };
  return { kind: 'properties', properties: parseDimensions(text) };
}

export const formatSessionGrouping = (grouping: SessionGrouping): string =>
  grouping.kind === 'properties' ? grouping.properties.map(formatProperty).join(',') : grouping.kind;
