/** Where the load generator puts an id that is new with each request (autocannon's `idReplacement`). */
export const NEW = '[<id>]';

/** Events of a session. */
export const SESSION = 20;

/**
 * About the size and shape of an event of a web site; twenty neighbours are of one session.
 * @param request tells the events of one request from those of all others, so that nothing is a duplicate
 */
export function event(index: number, request = NEW): Record<string, unknown> {
  return {
    session_id: `${request}-${Math.floor(index / SESSION)}`,
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
const ID_LENGTH = 36;

/** Bytes of an event as JSON. */
export const eventSize = (): number => JSON.stringify(event(0, '0'.repeat(ID_LENGTH))).length;

/** The body of a request with one event, of this session. */
export const oneEvent = (session: string): string =>
  JSON.stringify({
    ...event(0),
    session_id: session,
    data: { ...(event(0)['data'] as object), element: NEW },
  });

/** The body of a request with an array of events. */
export const manyEvents = (count: number): string =>
  JSON.stringify(Array.from({ length: count }, (_, index) => event(index)));

/** The same as NDJSON. */
export const manyLines = (count: number): string =>
  Array.from({ length: count }, (_, index) => JSON.stringify(event(index))).join('\n');
