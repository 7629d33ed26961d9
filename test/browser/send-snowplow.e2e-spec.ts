import { eventually } from '../../testing/the-eye.js';
import { BrowserShop } from '../support/browser-shop.js';
import { SNOWPLOW, startSnowplow, track28InPage } from '../support/snowplow-page.js';
import { countTypes, PAYLOAD, TYPES_OF_28 } from '../support/snowplow-node.js';
import { type StoredEvent, storedWhere } from '../support/stored.js';

// Provided by the browser, in which page.evaluate() runs its callback.
declare const Image: new () => { src: string; onload: () => void; onerror: () => void };

const TP2 = '/com.snowplowanalytics.snowplow/tp2';

describe('Snowplow’s tracker in a page of another origin', () => {
  const shop = new BrowserShop(SNOWPLOW);

  beforeAll(() => shop.start());
  afterAll(() => shop.close());

  const stored = (user: string): Promise<StoredEvent[]> =>
    storedWhere(shop.eye, `data->>'uid' = $1 OR data->>'eid' = $1 ORDER BY timestamp`, user);

  it.each<[string, (key: string) => Record<string, unknown>, string]>([
    ['the key in appId', (own) => ({ appId: own }), `POST ${TP2}`],
    ['the key in the path', (own) => ({ appId: 'web-shop', postPath: `${TP2}?key=${own}` }), `POST ${TP2}`],
    ['the key in a header', (own) => ({ customHeaders: { 'x-api-key': own } }), `POST ${TP2}`],
    ['GET', (own) => ({ appId: own, eventMethod: 'get' }), 'GET /i'],
    [
      'anonymous tracking',
      (own) => ({
        appId: own,
        anonymousTracking: { withSessionTracking: true, withServerAnonymisation: true },
      }),
      `POST ${TP2}`,
    ],
    ['several events in a request', (own) => ({ appId: own, bufferSize: 28 }), `POST ${TP2}`],
  ])('sends each of its events once, without an error, with %s', async (title, optionsOf, route) => {
    const context = await shop.browser.newContext();
    const page = await context.newPage();
    const requests = new Set<string>();
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error') errors.push(message.text());
    });
    page.on('request', (request) => {
      const { origin, pathname } = new URL(request.url());
      if (origin === shop.eye.url) requests.add(`${request.method()} ${pathname}`);
    });
    await page.goto(shop.site.origin);
    await startSnowplow(page, shop.eye.url, optionsOf(shop.key));
    const isAnonymous = title.startsWith('anonymous');
    await track28InPage(page, title);
    const rows = await eventually(async () => {
      // Anonymous tracking sends no user.
      const found = isAnonymous ? await storedWhere(shop.eye, `NOT data ? $1`, 'uid') : await stored(title);
      expect(found).toHaveLength(28);
      return found;
    });
    expect(countTypes(rows)).toEqual(TYPES_OF_28);
    expect(rows.find(({ name }) => name === 'order_completed')?.data).toMatchObject({
      p: 'web',
      ue_pr: { data: { data: PAYLOAD } },
      co: {
        data: expect.arrayContaining([
          {
            schema: expect.stringContaining('/web_page/'),
            data: { id: expect.any(String) },
          },
        ]),
      },
    });
    expect(rows.find(({ name }) => name === 'page_view')?.data).toMatchObject({ page: 'A shop' });
    expect(new Set(rows.map(({ session_id }) => session_id))).toEqual(new Set([rows[0]?.data.sid]));
    expect(JSON.stringify(rows)).not.toContain(shop.key);
    expect(errors).toEqual([]);
    expect([...requests]).toEqual([route]);
    await context.close();
  });

  it('may be an image, which has no Origin', async () => {
    const page = await shop.browser.newPage();
    await page.goto(shop.site.origin);
    const load = (query: Record<string, string>): Promise<string> =>
      page.evaluate(
        (src) =>
          new Promise<string>((resolve) => {
            const image = new Image();
            image.onload = () => resolve('loaded');
            image.onerror = () => resolve('failed');
            image.src = src;
          }),
        `${shop.eye.url}/i?${new URLSearchParams(query).toString()}`,
      );
    const event = { e: 'pv', eid: 'an-image', sid: 'a-session', dtm: String(Date.now()) };
    expect(await load(event)).toBe('failed');
    expect(await load({ ...event, aid: shop.key })).toBe('loaded');
    await eventually(async () => expect(await stored('an-image')).toHaveLength(1));
    await page.close();
  });
});
