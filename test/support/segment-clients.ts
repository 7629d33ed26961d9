import { Analytics as CustomerIo } from '@customerio/cdp-analytics-node';
import { jitsuAnalytics } from '@jitsu/js';
import RudderStack from '@rudderstack/rudder-sdk-node';
import { Analytics as Segment } from '@segment/analytics-node';
import LegacySegment from 'analytics-node';

/** A client for Node of a system that speaks Segment's protocol. */
export interface SegmentClient {
  readonly name: string;
  /** Sends twenty-eight events of an anonymous visitor, and resolves once the client has sent them or given up. */
  readonly send: (url: string, key: string, anonymousId: string) => Promise<void>;
}

/** Methods that most of these clients have, each of which asks for more of an event than this. */
interface Calls {
  track(event: object, done: () => void): unknown;
  page(event: object, done: () => void): unknown;
  identify(event: object, done: () => void): unknown;
}

export const PROPERTIES = { price: 9.99, text: 'Grüße 🎉', nested: { list: [1, 2.5, null] } };
export const TRAITS = { email: 'ada@shop.example', plan: 'pro' };

/** @returns promises of which each resolves once the client has sent an event or given up */
function callAll(client: Calls, anonymousId: string): Promise<void>[] {
  const called = (name: keyof Calls, event: object): Promise<void> =>
    new Promise((resolve) => client[name]({ anonymousId, ...event }, () => resolve()));
  return [
    called('track', { event: 'Order Completed', properties: { ...PROPERTIES, n: -1 } }),
    called('page', { category: 'Shop', name: 'Home', properties: { path: '/' } }),
    called('identify', { userId: 'user', traits: TRAITS }),
    ...Array.from({ length: 25 }, (_, n) => called('track', { event: 'Item Viewed', properties: { n } })),
  ];
}

export const SEGMENT_CLIENTS: readonly SegmentClient[] = [
  {
    name: '@segment/analytics-node',
    send: async (host, writeKey, anonymousId) => {
      const client = new Segment({ writeKey, host, maxEventsInBatch: 20 });
      const sent = callAll(client, anonymousId);
      await client.closeAndFlush();
      await Promise.all(sent);
    },
  },
  {
    name: 'analytics-node',
    send: async (host, writeKey, anonymousId) => {
      const client = new LegacySegment(writeKey, { host, errorHandler: () => undefined });
      const sent = callAll(client, anonymousId);
      await client.flush();
      await Promise.all(sent);
    },
  },
  {
    name: '@customerio/cdp-analytics-node',
    send: async (host, writeKey, anonymousId) => {
      const client = new CustomerIo({ writeKey, host });
      const sent = callAll(client, anonymousId);
      await client.closeAndFlush();
      await Promise.all(sent);
    },
  },
  {
    name: '@rudderstack/rudder-sdk-node',
    send: async (dataPlaneUrl, writeKey, anonymousId) => {
      const client = new RudderStack(writeKey, {
        dataPlaneUrl,
        logLevel: 'none',
        errorHandler: () => undefined,
      });
      const sent = callAll(client, anonymousId);
      await client.flush();
      await Promise.all(sent);
    },
  },
  {
    name: '@jitsu/js',
    send: async (host, writeKey, anonymousId) => {
      const client = jitsuAnalytics({ host, writeKey: `${writeKey}:secret` });
      client.setAnonymousId(anonymousId);
      await client.track('Order Completed', { ...PROPERTIES, n: -1 });
      await client.page({ name: 'Home', path: '/' });
      await client.identify('user', TRAITS);
      for (let n = 0; n < 25; n++) await client.track('Item Viewed', { n });
    },
  },
];
