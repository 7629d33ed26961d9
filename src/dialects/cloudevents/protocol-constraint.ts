import type { ConstraintStrategy, Handler, HTTPVersion } from 'find-my-way';
import type { IncomingMessage } from 'node:http';

/** The value of the constraint for requests in CloudEvents. */
export const CLOUDEVENTS_PROTOCOL = 'cloudevents';

/** No route is constrained to it, so all others match. */
const OTHER_PROTOCOL = '';

/**
 * Whether a request holds CloudEvents: in structured or in batched mode by its content type, in binary mode by its headers. Those
 * go before the content type, which is then that of the data.
 * @see https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md#3-http-message-mapping
 */
export function isCloudEvents({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  if (headers['ce-specversion'] !== undefined || headers['ce-id'] !== undefined) return true;
  return headers['content-type']?.slice(0, 23).toLowerCase() === 'application/cloudevents';
}

/**
 * Lets Fastify's router distinguish requests in CloudEvents from others of the same path, so that they have a handler of their own.
 * @see https://fastify.dev/docs/latest/Reference/Routes/#constraints
 */
export const protocolConstraint: ConstraintStrategy<HTTPVersion.V1, string> = {
  name: 'protocol',
  storage() {
    const handlers = new Map<string, Handler<HTTPVersion.V1>>();
    return {
      get: (protocol) => handlers.get(protocol) ?? null,
      set: (protocol, handler) => void handlers.set(protocol, handler),
    };
  },
  deriveConstraint: (request) => (isCloudEvents(request) ? CLOUDEVENTS_PROTOCOL : OTHER_PROTOCOL),
  // On all other paths, what a request holds means nothing.
  mustMatchWhenDerived: false,
};
