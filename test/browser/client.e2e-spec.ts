import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { startBrowser } from '../../testing/browser.js';
import { Admin } from '../../testing/keys.js';
import { eventually, TheEye } from '../../testing/the-eye.js';
import { startEye } from '../support/start-eye.js';
import { UnreliableProxy } from '../support/unreliable-proxy.js';

// Provided by the browser, in which page.evaluate() runs its callback.
declare const eye: { track(name: string, data: object): Promise<boolean>; flush(): Promise<boolean> };
declare const history: { pushState(state: unknown, title: string, url: string): void };
declare const localStorage: object;

interface Row {
  category: string;
  name: string;
  data: Record<string, unknown>;
}

describe('GET /eye.js in a page of another origin', () => {
  let theEye: TheEye;
  let proxy: UnreliableProxy;
  let server: Server;
  let browser: Browser;
  let context: BrowserContext;
  let shop: string;
  let elsewhere: string;
  let script: string;

  beforeAll(async () => {
    server = createServer(({ url = '' }, response) => {
      const auto = url.startsWith('/auto') ? 'pageviews outbound forms' : '';
      response.setHeader('content-type', 'text/html').end(
        `<!doctype html><title>A shop</title>${script.replace('>', ` data-auto="${auto}">`)}</script>
         <a id="out" href="${elsewhere}/there?token=secret"><b>Out</b></a><a id="in" href="/auto-in">In</a>
         <form id="order" action="javascript:void 0"><input name="id" value="secret"><button>Buy</button></form>`,
      );
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    shop = `http://127.0.0.1:${port}`;
    elsewhere = `http://localhost:${port}`;
    theEye = await startEye({ AUTH: 'required' });
    // The Eye has another port after it was killed.
    proxy = await UnreliableProxy.start(() => theEye.url);
    const admin = await Admin.of(theEye);
    const { key } = await admin.create('shop', { scope: 'ingest', allowed_origins: [shop] });
    const { integrity } = (await theEye.get('/eye.json')).body as { integrity: string };
    script = `<script src="${proxy.url}/eye.js?key=${key}" integrity="${integrity}" crossorigin>`;
    browser = await startBrowser({ hasBackForwardCache: true });
  });
  afterAll(async () => {
    await browser?.close();
    proxy?.close();
    await theEye?.close();
    server?.close();
    server?.closeAllConnections();
  });

  beforeEach(async () => {
    context = await browser.newContext();
  });
  afterEach(() => context.close());

  const open = async (path = '/'): Promise<Page> => {
    const page = await context.newPage();
    await page.goto(`${shop}${path}`);
    return page;
  };

  /** Tracks events with these numbers, and returns how many of them the client accepted. */
  const track = (page: Page, test: string, from: number, count: number): Promise<number> =>
    page.evaluate(
      async ({ test, from, count }) => {
        const numbers = Array.from({ length: count }, (_, index) => from + index);
        const accepted = await Promise.all(numbers.map((n) => eye.track(test, { n })));
        return accepted.filter(Boolean).length;
      },
      { test, from, count },
    );

  /** Resolves once each of so many events is stored, and each once. */
  const storedOnce = (test: string, count: number): Promise<void> =>
    eventually(async () => {
      const rows = await theEye.sql<{ n: number }>(
        `SELECT (data ->> 'n')::int AS n FROM events WHERE name = $1 ORDER BY n`,
        [test],
      );
      expect(rows.map(({ n }) => n)).toEqual(Array.from({ length: count }, (_, n) => n));
    }, 60_000);

  const queueOf = (page: Page): Promise<number> => page.evaluate(() => Object.keys(localStorage).length);

  it('tracks pages of every kind, links to other hosts and forms, without cookies, queries and what was typed', async () => {
    const page = await open('/auto?utm_source=letter&token=secret');
    await page.evaluate(() => history.pushState({}, '', '/auto-2'));
    await page.click('button');
    // The browser keeps no page whose requests are still open.
    await eventually(async () => expect(await queueOf(page)).toBe(0));
    // What a page that is loaded again does not have.
    await page.evaluate('var isKept = true');
    await page.click('#in');
    await page.waitForURL('**/auto-in');
    // A page that is kept does not load again.
    await page.goBack({ waitUntil: 'commit' });
    await page.waitForURL('**/auto-2', { waitUntil: 'commit' });
    expect(await page.evaluate('isKept')).toBe(true);
    // Opens a menu, and no other page.
    await page.click('#out b', { button: 'right' });
    await page.click('#out b');
    await page.waitForURL('**/there*');
    const rows = await eventually(async () => {
      const found = await theEye.sql<Row>(
        `SELECT category, name, data FROM events WHERE category LIKE '% interaction' ORDER BY timestamp`,
      );
      if (found.length < 6) throw new Error(`${found.length} events are stored.`);
      return found;
    });
    const host = new URL(shop).host;
    const view = (path: string, more = {}): Row => ({
      category: 'page interaction',
      name: 'pageview',
      data: { host, path, title: 'A shop', ...more },
    });
    expect(rows).toEqual([
      view('/auto', { utm_source: 'letter' }),
      view('/auto-2', { referrer: `${shop}/auto` }),
      { category: 'form interaction', name: 'submit', data: { path: '/auto-2', form: 'order' } },
      view('/auto-in', { referrer: `${shop}/auto-2` }),
      view('/auto-2'),
      {
        category: 'link interaction',
        name: 'outbound',
        data: { path: '/auto-2', url: `${elsewhere}/there` },
      },
    ]);
    expect(await context.cookies()).toEqual([]);
  });

  it('sends what was tracked while offline after a reload, from several tabs, each event once', async () => {
    const [one, two] = [await open(), await open()];
    await context.setOffline(true);
    expect(await track(one, 'offline', 0, 30)).toBe(30);
    expect(await track(two, 'offline', 30, 30)).toBe(30);
    await two.close();
    expect(await queueOf(one)).toBe(60);
    await context.setOffline(false);
    await one.reload();
    await storedOnce('offline', 60);
    await eventually(async () => expect(await queueOf(one)).toBe(0));
  });

  it('sends what was tracked right before the page was left, when no page of it is open any more', async () => {
    const page = await open();
    await page.evaluate((address) => {
      void eye.track('left', { n: 0 });
      (globalThis as unknown as { location: string }).location = address;
    }, 'about:blank');
    await page.waitForURL('about:blank');
    await storedOnce('left', 1);
  });

  it('keeps what was tracked in a tab that was closed at once, for the next one', async () => {
    const page = await open();
    await context.route('**/events/**', (route) => route.abort());
    expect(await track(page, 'closed', 0, 20)).toBe(20);
    await page.close();
    await context.unroute('**/events/**');
    await open();
    await storedOnce('closed', 20);
  });

  it('stores each event once while The Eye is killed, responses are lost, and the network is slow', async () => {
    const page = await open();
    const network = await context.newCDPSession(page);
    await network.send('Network.enable');
    await network.send('Network.emulateNetworkConditions', {
      offline: false,
      latency: 100,
      downloadThroughput: 8000,
      uploadThroughput: 8000,
    });
    proxy.loseResponses(2);
    expect(await track(page, 'killed', 0, 150)).toBe(150);
    await eventually(async () => {
      const [row] = await theEye.sql<{ count: number }>(
        `SELECT count(*)::int AS count FROM events WHERE name = 'killed'`,
      );
      expect(row?.count).toBeGreaterThan(0);
    });
    await theEye.end('SIGKILL');
    expect(await track(page, 'killed', 150, 150)).toBe(150);
    await theEye.start();
    // As the page does by itself, after its delays.
    await eventually(async () => expect(await page.evaluate(() => eye.flush())).toBe(true));
    await storedOnce('killed', 300);
  });
});
