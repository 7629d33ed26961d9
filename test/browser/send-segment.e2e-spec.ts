import { eventually } from '../../testing/the-eye.js';
import { BrowserShop } from '../support/browser-shop.js';
import { type StoredEvent, storedWhere } from '../support/stored.js';

/** A client in a page. */
interface PageClient {
  readonly name: string;
  /** A module that makes `client`, which is called with `url`, `key` and `visitor`. */
  readonly code: string;
  /** Paths of the requests to The Eye that it sends. */
  readonly paths: readonly string[];
}

const SEGMENT = (options: object): string => `
  import { AnalyticsBrowser } from '@segment/analytics-next';
  const client = AnalyticsBrowser.load({ writeKey: key, cdnURL: url }, ${JSON.stringify(options)});
  client.setAnonymousId(visitor);`;

const RUDDERSTACK = (options: object): string => `
  import { RudderAnalytics } from '@rudderstack/analytics-js/bundled';
  const client = new RudderAnalytics();
  client.setAnonymousId(visitor);
  client.load(key, url, { configUrl: url, ...${JSON.stringify(options)} });`;

const SETTINGS = '/v1/projects/<key>/settings';

const CLIENTS: readonly PageClient[] = [
  {
    name: '@segment/analytics-next',
    code: SEGMENT({}),
    paths: ['/v1/i', '/v1/p', SETTINGS, '/v1/t'],
  },
  {
    name: '@segment/analytics-next with batches',
    code: SEGMENT({
      integrations: {
        'Segment.io': { deliveryStrategy: { strategy: 'batching', config: { size: 10, timeout: 200 } } },
      },
    }),
    paths: ['/v1/b', SETTINGS],
  },
  {
    name: '@rudderstack/analytics-js',
    code: RUDDERSTACK({}),
    paths: ['/sourceConfig/', '/v1/identify', '/v1/page', '/v1/track'],
  },
  {
    name: '@rudderstack/analytics-js with beacons',
    code: RUDDERSTACK({ useBeacon: true, beaconQueueOptions: { maxItems: 10, flushQueueInterval: 200 } }),
    paths: ['/beacon/v1/batch', '/sourceConfig/'],
  },
  {
    name: '@jitsu/js',
    code: `
      import { jitsuAnalytics } from '@jitsu/js';
      const client = jitsuAnalytics({ host: url, writeKey: key + ':secret' });
      client.setAnonymousId(visitor);`,
    paths: ['/api/s/identify', '/api/s/page', '/api/s/track'],
  },
];

const CALLS = `
  client.track('Order Completed', { price: 9.99, text: 'Grüße 🎉' });
  visitor === '@jitsu/js' ? client.page({ name: 'Home' }) : client.page('Shop', 'Home', { n: 0 });
  client.identify('user', { plan: 'pro' });
  for (let n = 0; n < 25; n++) client.track('Item Viewed', { n });`;

describe('A page of another origin', () => {
  const shop = new BrowserShop();

  beforeAll(() => shop.start());
  afterAll(() => shop.close());

  const programOf = ({ name, code }: PageClient): string => {
    const names = Object.entries({ url: shop.eye.url, key: shop.key, visitor: name });
    const constants = names.map(([each, value]) => `const ${each} = ${JSON.stringify(value)};`).join('\n');
    return `${constants}\n${code}\n${CALLS}`;
  };

  const storedOf = (visitor: string): Promise<StoredEvent[]> =>
    storedWhere(shop.eye, `data->>'anonymousId' = $1`, visitor);

  it.each(CLIENTS)('sends each event of $name once, and nothing to others', async (client) => {
    await shop.site.run(programOf(client));
    const context = await shop.browser.newContext();
    const page = await context.newPage();
    const errors: string[] = [];
    const paths = new Set<string>();
    const strangers = new Set<string>();
    page.on('pageerror', (error) => errors.push(String(error)));
    page.on('request', (request) => {
      const url = new URL(request.url());
      if (url.origin === shop.eye.url) paths.add(url.pathname.replace(shop.key, '<key>'));
      else if (url.origin !== shop.site.origin) strangers.add(url.origin);
    });
    await page.goto(shop.site.origin);
    await eventually(async () => expect(await storedOf(client.name)).toHaveLength(28));
    const rows = await storedOf(client.name);
    const sessions = new Set(rows.map(({ session_id }) => session_id));
    expect([...sessions].map((each) => each.replace(/:\d+$/, ''))).toEqual([client.name]);
    const names = rows.map(({ name }) => name).sort();
    expect(names).toEqual(
      [...Array<string>(25).fill('Item Viewed'), 'Home', 'Order Completed', 'identify'].sort(),
    );
    expect(rows.find(({ name }) => name === 'Order Completed')?.data.properties).toMatchObject({
      price: 9.99,
      text: 'Grüße 🎉',
    });
    expect(JSON.stringify(rows)).not.toContain(shop.key);
    expect([...paths].sort()).toEqual(client.paths);
    expect({ errors, strangers: [...strangers] }).toEqual({ errors: [], strangers: [] });
    await context.close();
  });
});
