import type { EventFilter } from '../../platform/model/event.js';

const EQUALITY_FIELDS = ['application', 'session_id', 'category', 'name'] as const;

/** The fields of an event that a filter reads. */
export const STREAM_FIELDS = [...EQUALITY_FIELDS, 'timestamp'] as const;

export type FilterFields = Partial<Record<(typeof STREAM_FIELDS)[number], string>>;

export function matches(filter: EventFilter, fields: FilterFields): boolean {
  const { timestamp_after: after, timestamp_before: before } = filter;
  // Canonical timestamps compare as texts.
  const { timestamp = '' } = fields;
  if (after !== undefined && timestamp < after) return false;
  if (before !== undefined && timestamp > before) return false;
  return EQUALITY_FIELDS.every((name) => filter[name] === undefined || filter[name] === fields[name]);
}
