import { PostHog, type PostHogOptions } from 'posthog-node';

/** The two APIs that posthog-node can send to. */
export type CaptureMode = 'v0' | 'v1';

export interface NodeClient {
  readonly client: PostHog;
  /** What the client reported. */
  readonly errors: unknown[];
}

/** A client that sends 28 events at once. */
export function posthogNode(
  key: string,
  host: string,
  mode: CaptureMode,
  options: PostHogOptions = {},
): NodeClient {
  // The client reads this when it is made.
  process.env['POSTHOG_CAPTURE_MODE'] = mode;
  const client = new PostHog(key, { host, flushAt: 28, flushInterval: 60_000, ...options });
  delete process.env['POSTHOG_CAPTURE_MODE'];
  const errors: unknown[] = [];
  client.on('error', (error: unknown) => errors.push(error));
  return { client, errors };
}

/** A track, a page, an identify, and 25 more tracks of a user. */
export function capture28Events(client: PostHog, user: string): void {
  const properties = { text: 'Grüße 🎉', price: 9.99, nested: { list: [1, 2.5, null] } };
  const $session_id = `session-of-${user}`;
  client.capture({ distinctId: user, event: 'Order Completed', properties: { ...properties, $session_id } });
  client.capture({
    distinctId: user,
    event: '$pageview',
    properties: { $current_url: 'https://shop.example/cart', $session_id },
  });
  client.identify({ distinctId: user, properties: { $set: { plan: 'pro' }, $anon_distinct_id: 'anon-1' } });
  for (let n = 0; n < 25; n++)
    client.capture({ distinctId: user, event: 'Item Viewed', properties: { n, ...properties, $session_id } });
}
