/** The load generator replaces this with a new id in each request (autocannon's `idReplacement`). */
export const ID_PLACEHOLDER = '[<id>]';

/** Consecutive events per session. */
export const EVENTS_PER_SESSION = 20;

/**
 * An event with the typical size and shape of web analytics.
 * @param request distinguishes the events of one request from all others, so that there are no duplicates
 */
export function makeEvent(index: number, request = ID_PLACEHOLDER): Record<string, unknown> {
  return {
    session_id: `${request}-${Math.floor(index / EVENTS_PER_SESSION)}`,
    category: ['page interaction', 'form interaction', 'purchase'][index % 3],
    name: ['pageview', 'submit', 'checkout', 'cta click'][index % 4],
    data: {
      host: 'www.example.com',
      path: `/products/${index % 50}`,
      element: 'add to basket',
      price: 19.99,
      tags: ['spring', 'sale'],
    },
    timestamp: new Date(Date.UTC(2024, 0, 1) + index * 1000).toISOString(),
  };
}

/** Length of a UUID. */
const UUID_LENGTH = 36;

/** Size of an event as JSON, in bytes. */
export const eventSize = (): number => JSON.stringify(makeEvent(0, '0'.repeat(UUID_LENGTH))).length;

/** The body of a request with one event of this session. */
export const eventBody = (session: string): string =>
  JSON.stringify({
    ...makeEvent(0),
    session_id: session,
    data: { ...(makeEvent(0)['data'] as object), element: ID_PLACEHOLDER },
  });

/** The body of a request with a JSON array of events. */
export const arrayBody = (count: number): string =>
  JSON.stringify(Array.from({ length: count }, (_, index) => makeEvent(index)));

/** The body of a request with NDJSON. */
export const ndjsonBody = (count: number): string =>
  Array.from({ length: count }, (_, index) => JSON.stringify(makeEvent(index))).join('\n');
