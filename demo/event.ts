/** An event as it is sent. The fields are unknown, because some events contain mistakes. */
export interface DemoEvent {
  session_id: unknown;
  category: unknown;
  name: unknown;
  data: unknown;
  timestamp: unknown;
}
