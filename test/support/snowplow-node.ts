import {
  buildPageView,
  buildSelfDescribingEvent,
  buildStructEvent,
  type EmitterConfigurationBase,
  newTracker,
  type Tracker,
} from '@snowplow/node-tracker';
import type { StoredEvent } from './stored.js';

/** What 28 events of Snowplow's tracker for Node are stored as, in `category` and `name`. */
export const TYPES_OF_28 = {
  'com.example order_completed': 1,
  'page view page_view': 1,
  'shop add': 1,
  'com.example item_viewed': 25,
};

/** The number of events of each `category` and `name`. */
export function countTypes(events: readonly StoredEvent[]): Record<string, number> {
  const types: Record<string, number> = {};
  for (const { category, name } of events)
    types[`${category} ${name}`] = (types[`${category} ${name}`] ?? 0) + 1;
  return types;
}

export const PAYLOAD = { price: 9.99, text: 'Grüße 🎉', nested: { list: [1, 2.5, null] } };

export interface SnowplowOptions {
  /** Of the collector. */
  readonly url: string;
  readonly appId: string;
  readonly session: string;
  readonly encodeBase64?: boolean;
  readonly emitter?: Omit<EmitterConfigurationBase, 'endpoint'>;
}

/** Snowplow's tracker for Node, which sends everything at the end. */
export function snowplowNode({
  url,
  appId,
  session,
  encodeBase64 = true,
  emitter,
}: SnowplowOptions): Tracker {
  const tracker = newTracker(
    { namespace: 'eye', appId, encodeBase64 },
    { endpoint: url, bufferSize: 1000, ...emitter },
  );
  tracker.setSessionId(session);
  return tracker;
}

/** A self-describing event, a page view, a structured event, and 25 more self-describing events. */
export function track28Events(tracker: Tracker): void {
  const context = { schema: 'iglu:com.example/cart/jsonschema/1-0-0', data: { items: 3 } };
  const track = (name: string, data: Record<string, unknown>): void =>
    void tracker.track(
      buildSelfDescribingEvent({ event: { schema: `iglu:com.example/${name}/jsonschema/1-0-0`, data } }),
      [context],
    );
  track('order_completed', PAYLOAD);
  tracker.track(buildPageView({ pageUrl: 'https://shop.example/cart', pageTitle: 'A cart' }));
  tracker.track(buildStructEvent({ category: 'shop', action: 'add', label: 'shoes', value: 2 }));
  for (let n = 0; n < 25; n++) track('item_viewed', { n });
}
