import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser } from 'playwright-core';
import { startBrowser } from '../../testing/browser.js';
import { Admin } from '../../testing/keys.js';
import { anEvent, eventually, TheEye } from '../../testing/the-eye.js';
import { startEye } from '../support/start-eye.js';

// Provided by the browser, in which page.evaluate() runs its callback.
declare const navigator: { sendBeacon(url: string, body: unknown): boolean };

describe('POST /events from a page in a browser', () => {
  let eye: TheEye;
  let server: Server;
  let browser: Browser;
  let port: number;
  let key: string;

  beforeAll(async () => {
    server = createServer((_, response) =>
      response.setHeader('content-type', 'text/html').end('<!doctype html><title>A shop</title>'),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    ({ port } = server.address() as AddressInfo);
    eye = await startEye({ AUTH: 'required' });
    const admin = await Admin.of(eye);
    const allowed_origins = [`http://127.0.0.1:${port}`];
    ({ key } = await admin.create('shop', { scope: 'ingest', allowed_origins }));
    browser = await startBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await eye?.close();
    server?.close();
  });

  /** Sends three events from a page on this host: a text beacon, a blob beacon and a fetch request. */
  async function sendFrom(host: string): Promise<{ sessions: string[]; fetched: unknown }> {
    const page = await browser.newPage();
    await page.goto(`http://${host}:${port}/`);
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
      { url: `${eye.url}/events/?key=${key}`, events },
    );
    await page.close();
    return { sessions: events.map(({ session_id }) => session_id), fetched };
  }

  const stored = (sessions: string[]): Promise<unknown[]> =>
    eye.sql('SELECT application FROM events WHERE session_id = ANY($1)', [sessions]);

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
