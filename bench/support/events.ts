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

/** A message as Segment's client for Node sends it. */
function makeMessage(index: number): Record<string, unknown> {
  const { session_id, name, data, timestamp } = makeEvent(index);
  return {
    timestamp,
    integrations: {},
    event: name,
    type: 'track',
    properties: data,
    context: { library: { name: '@segment/analytics-node', version: '3.1.0' } },
    anonymousId: session_id,
    messageId: `node-next-${ID_PLACEHOLDER}-${index}`,
    _metadata: { nodeVersion: 'v22.0.0', jsRuntime: 'node' },
  };
}

/** The body of a request with a batch of Segment's messages. */
export const segmentBody = (count: number): string =>
  JSON.stringify({
    batch: Array.from({ length: count }, (_, index) => makeMessage(index)),
    sentAt: new Date().toISOString(),
  });

/** The body of a request with a JSON array of the events that Segment's messages become. */
export const translatedBody = (count: number): string =>
  JSON.stringify(
    Array.from({ length: count }, (_, index) => {
      const data = makeMessage(index);
      const { anonymousId, type, event, timestamp } = data;
      return { session_id: anonymousId, category: type, name: event, data, timestamp };
    }),
  );

/** The body of a request with NDJSON. */
export const ndjsonBody = (count: number): string =>
  Array.from({ length: count }, (_, index) => JSON.stringify(makeEvent(index))).join('\n');
