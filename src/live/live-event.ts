/** An event as it is shown to those who watch: what the list gives of it. */
export interface LiveEvent {
  id: string;
  application: string;
  session_id: string;
  category: string;
  name: string;
  data: Record<string, unknown>;
  /** UTC with six fractional digits. */
  timestamp: string;
}

/** What a viewer asks for by equality; what is left out may be anything. */
export type LiveFilter = Partial<Pick<LiveEvent, (typeof FILTERED)[number]>>;

export const FILTERED = ['application', 'session_id', 'category', 'name'] as const;
