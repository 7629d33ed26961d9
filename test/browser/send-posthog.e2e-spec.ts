import type { Page } from 'playwright-core';
import { eventually } from '../../testing/the-eye.js';
import { BrowserShop } from '../support/browser-shop.js';
import { capture28InPage, POSTHOG, startPosthog } from '../support/posthog-page.js';
import { type StoredEvent, storedWhere } from '../support/stored.js';

// Provided by the page and its browser, in which page.evaluate() runs its callback.
declare const posthog: { capture(event: string, properties: Record<string, unknown>): void };
declare const navigator: { sendBeacon(url: string, body: unknown): boolean };
declare const localStorage: {
  setItem(name: string, value: string): void;
  getItem(name: string): string | null;
};

/** A page with posthog-js, what it asked The Eye for, and what went wrong in it. */
interface Shop {
  readonly page: Page;
  /** As `POST /e/ text/plain`. */
  readonly requests: string[];
  readonly errors: string[];
}

describe('posthog-js in a page of another origin', () => {
  const shop = new BrowserShop(POSTHOG);

  beforeAll(() => shop.start());
  afterAll(() => shop.close());

  /** Opens the shop in a browser of its own, and starts posthog-js. */
  async function openShop(options: Record<string, unknown>): Promise<Shop> {
    const context = await shop.browser.newContext();
    const page = await context.newPage();
    const requests: string[] = [];
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(String(error)));
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) errors.push(message.text());
    });
    page.on('request', (request) => {
      const { pathname, origin: host } = new URL(request.url());
      if (host !== shop.eye.url) return;
      const type = request.headers()['content-type'] ?? request.resourceType();
      requests.push(`${request.method()} ${pathname.replace(shop.key, '<key>')} ${type}`);
    });
    page.on('requestfailed', (request) => {
      if (request.url().startsWith(shop.eye.url))
        errors.push(`${request.url()} ${request.failure()?.errorText}`);
    });
    await page.goto(shop.site.origin);
    await startPosthog(page, shop.key, shop.eye.url, options);
    return { page, requests, errors };
  }

  /** Without what posthog-js captures by itself. */
  const stored = (user: string): Promise<StoredEvent[]> =>
    storedWhere(
      shop.eye,
      `name <> '$pageleave'
       AND (data->'properties'->>'user' = $1 OR name = '$identify' AND data->'properties'->>'distinct_id' = $1)
       ORDER BY timestamp`,
      user,
    );

  it.each<[string, Record<string, unknown>, string]>([
    ['its defaults', {}, 'text/plain'],
    ['disable_compression', { disable_compression: true }, 'application/json'],
  ])('sends each of its events once, without an error, with %s', async (title, options, type) => {
    const { page, requests, errors } = await openShop(options);
    await capture28InPage(page, title);
    await eventually(async () => expect(await stored(title)).toHaveLength(28));
    const rows = await stored(title);
    expect(rows.find(({ name }) => name === 'Order Completed')).toMatchObject({
      session_id: rows[0]?.data.properties.$session_id,
      category: 'track',
      data: { properties: { text: 'Grüße 🎉', price: 9.99, nested: { list: [1, 2.5, null] } } },
    });
    expect(rows.find(({ name }) => name === '$identify')).toMatchObject({
      category: 'posthog',
      data: { $set: { plan: 'pro' }, properties: { $anon_distinct_id: expect.any(String) } },
    });
    expect(new Set(rows.map(({ session_id }) => session_id)).size).toBe(1);
    expect(JSON.stringify(rows)).not.toContain(shop.key);
    expect(errors).toEqual([]);
    expect(new Set(requests)).toEqual(
      new Set(['GET /array/<key>/config.js script', `POST /flags/ ${type}`, `POST /e/ ${type}`]),
    );
    await page.context().close();
  });

  it('sends what is left in a beacon when its page is left', async () => {
    const { page } = await openShop({ request_queue_config: { flush_interval_ms: 5000 } });
    await capture28InPage(page, 'leaver');
    // An identify is sent at once, as soon as it is compressed.
    await eventually(async () => expect(await stored('leaver')).not.toHaveLength(0));
    await page.evaluate(() => {
      const send = navigator.sendBeacon.bind(navigator);
      navigator.sendBeacon = (url, body) => {
        localStorage.setItem('beacon', new URL(url).pathname);
        return send(url, body);
      };
      posthog.capture('Left', { user: 'leaver' });
    });
    await page.goto('about:blank');
    await eventually(async () => expect(await stored('leaver')).toHaveLength(29));
    await page.goto(shop.site.origin);
    expect(await page.evaluate(() => localStorage.getItem('beacon'))).toBe('/e/');
    await page.context().close();
  });
});
