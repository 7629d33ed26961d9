import type { StoredEvent } from '../../platform/model/event.js';

export const EQUALITY_FIELDS = ['application', 'session_id', 'category', 'name'] as const;

/** The fields of an event that a filter reads. */
export const FILTER_FIELDS = [...EQUALITY_FIELDS, 'timestamp'] as const;

/** Which events a subscriber receives. An absent condition matches every event. */
export interface StreamFilter extends Partial<Pick<StoredEvent, (typeof EQUALITY_FIELDS)[number]>> {
  /** Canonical timestamps that bound the timestamp of the event, both inclusive. */
  timestamp_after?: string;
  timestamp_before?: string;
}
