import { anEvent, eventually } from '../../testing/the-eye.js';
import { BrowserShop } from '../support/browser-shop.js';

// Provided by the browser, in which page.evaluate() runs its callback.
declare const navigator: { sendBeacon(url: string, body: unknown): boolean };

describe('POST /events from a page in a browser', () => {
  const shop = new BrowserShop();

  beforeAll(() => shop.start());
  afterAll(() => shop.close());

  /**
   * Sends three events from a page on this host: a text beacon, a blob beacon and a fetch request. The page stays open, because
   * Chromium on a slow machine drops the blob beacon, which needs a preflight request, if its page closes meanwhile.
   */
  async function sendFrom(host: string): Promise<{ sessions: string[]; fetched: unknown }> {
    const page = await shop.browser.newPage();
    await page.goto(shop.site.origin.replace('127.0.0.1', host));
    const events = [anEvent(), anEvent(), anEvent()];
    const fetched = await page.evaluate(
      async ({ url, events }) => {
        const [text, blob, plain] = events.map((event) => JSON.stringify(event)) as [string, string, string];
        const sent = [
          navigator.sendBeacon(url, text),
          navigator.sendBeacon(url, new Blob([blob], { type: 'application/json' })),
        ];
        if (!sent.every(Boolean)) return 'The browser took no beacon.';
        const headers = { 'content-type': 'application/json' };
        return fetch(url, { method: 'POST', body: plain, headers }).then(
          (response) => [response.status, response.headers.get('ratelimit-policy')],
          (error: Error) => error.name,
        );
      },
      { url: `${shop.eye.url}/events/?key=${shop.key}`, events },
    );
    return { sessions: events.map(({ session_id }) => session_id), fetched };
  }

  const stored = (sessions: string[]): Promise<unknown[]> =>
    shop.eye.sql('SELECT application FROM events WHERE session_id = ANY($1)', [sessions]);

  it('accepts beacons and fetch requests from an allowed origin of the key', async () => {
    const { sessions, fetched } = await sendFrom('127.0.0.1');
    expect(fetched).toEqual([202, '"events";q=600000;w=60']);
    await eventually(async () =>
      expect(await stored(sessions)).toEqual(sessions.map(() => ({ application: 'shop' }))),
    );
  });

  it('stores nothing from an origin that the key does not allow', async () => {
    const evil = await sendFrom('localhost');
    expect(evil.fetched).toBe('TypeError');
    // Later events are stored, so earlier ones would be stored by now, too.
    const good = await sendFrom('127.0.0.1');
    await eventually(async () => expect(await stored(good.sessions)).toHaveLength(3));
    expect(await stored(evil.sessions)).toEqual([]);
  });
});
