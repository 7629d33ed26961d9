/** An event as it is shown to those who watch: what the list gives of it. */
export interface StreamedEvent {
  id: string;
  application: string;
  session_id: string;
  category: string;
  name: string;
  data: Record<string, unknown>;
  /** UTC with six fractional digits. */
  timestamp: string;
}

export const EQUAL = ['application', 'session_id', 'category', 'name'] as const;

/** What events are filtered by. */
export const FILTERED = [...EQUAL, 'timestamp'] as const;

/** What a viewer asks for; what is left out may be anything. */
export interface StreamFilter extends Partial<Pick<StreamedEvent, (typeof EQUAL)[number]>> {
  /** Canonical timestamps, both inclusive, that the event's own lies between. */
  timestamp_after?: string;
  timestamp_before?: string;
}
