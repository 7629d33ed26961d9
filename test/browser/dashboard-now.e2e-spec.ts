import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import type { Browser, Page } from 'playwright-core';
import { startBrowser, Viewer } from '../../testing/browser.js';
import { anEvent, eventually, TheEye } from '../../testing/the-eye.js';
import { startEye } from '../support/start-eye.js';
import { StreamSubscriber } from '../support/stream-subscriber.js';

const LIST = '**/events/?*';
const STREAM = '**/events/stream*';
const RATES = '**/statistics/rates/';

describe('The Now view of the dashboard', () => {
  let eye: TheEye;
  let browser: Browser;
  let viewer: Viewer;
  let page: Page;

  beforeAll(async () => {
    [eye, browser] = await Promise.all([startEye(), startBrowser()]);
  });
  beforeEach(async () => {
    viewer = await Viewer.open(browser, eye.url);
    ({ page } = viewer);
  });
  afterEach(() => viewer.close());
  afterAll(async () => {
    await browser?.close();
    await eye?.close();
  });

  it('lists no event twice when it is opened or filtered during traffic', async () => {
    const ids = (): Promise<(string | null)[]> =>
      page.locator('.tail li').evaluateAll((rows) => rows.map((row) => row.getAttribute('data-event')));
    const ends = new AbortController();
    const traffic = (async () => {
      while (!ends.signal.aborted) {
        await eye.store(anEvent({ session_id: 'traffic', timestamp: new Date().toISOString() }));
        // Without a pause, it takes all of the machine to draw each of them.
        await wait(20);
      }
    })();
    try {
      for (const hash of ['#/now', '#/now?session_id=traffic', '#/now?name=pageview', '#/now']) {
        await viewer.goto(hash);
        await viewer.at(hash);
        await page.locator('.tail li').first().waitFor();
        for (let check = 0; check < 8; check++) {
          await wait(150);
          const shown = await ids();
          expect([hash, shown.length]).toEqual([hash, new Set(shown).size]);
        }
      }
    } finally {
      ends.abort();
      await traffic;
    }
  });

  it('says how far ClickHouse is behind', async () => {
    const replication = { status: 'up', lag_seconds: 0.3, backlog_events: 12 };
    await page.route('**/health/ready', (route) =>
      route.fulfill({ json: { status: 'ok', checks: { clickhouse: { status: 'up' }, replication } } }),
    );
    for (const [lag, words, state] of [
      [0.3, 'is up to date', 'up'],
      [7.25, 'is 7.2 s behind: 12 events waiting', 'up'],
      [125, 'is 2 min 5 s behind: 12 events waiting', 'down'],
      [null, 'is being made: 12 events waiting', 'up'],
    ] as const) {
      Object.assign(replication, { lag_seconds: lag });
      await viewer.goto('#/now');
      await page.locator(`.health li.${state}`, { hasText: `The copy in ClickHouse ${words}` }).waitFor();
      await viewer.goto('#/refused');
    }
  });

  it('requests past events again after a 503 response', async () => {
    await eye.store(anEvent({ session_id: 'the past' }));
    await page.route(LIST, (route) => route.fulfill({ status: 503, json: { detail: 'Not now.' } }));
    await viewer.goto('#/now?session_id=the%20past');
    await page.getByText('Not now. Trying again…').waitFor();
    await page.unroute(LIST);
    await page.locator('.tail li', { hasText: 'the past' }).waitFor();
    await page.getByText('since the view was opened').waitFor();
  });

  it('shows events stored between the query for past events and the opening of the stream', async () => {
    await page.route(STREAM, async (route) => {
      await page.getByText('No event matches these filters yet.').waitFor();
      await eye.store(anEvent({ session_id: 'between' }));
      return route.continue();
    });
    await viewer.goto('#/now?session_id=between');
    await page.locator('.tail li', { hasText: 'between' }).waitFor();
  });

  it('resumes the stream from the id of the last heartbeat', async () => {
    const subscriber = await StreamSubscriber.open(eye);
    await eye.store(anEvent({ session_id: 'seen' }));
    await subscriber.receives('seen');
    subscriber.close();
    let streams = 0;
    await page.route(STREAM, async (route) => {
      if (streams++ === 0) {
        const body = `: alive\nid: ${subscriber.messages[0]?.id}\n\n`;
        return route.fulfill({ contentType: 'text/event-stream', body });
      }
      await eye.store(anEvent({ session_id: 'missed' }));
      return route.continue();
    });
    await viewer.goto('#/now?session_id=missed');
    await page.getByText('No event matches these filters yet.').waitFor();
    await page.locator('.tail li', { hasText: 'missed' }).waitFor();
    expect(streams).toBe(2);
  });

  describe('with incomplete responses', () => {
    let broken: Server;

    beforeAll(async () => {
      broken = createServer(({ url }, response) => {
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': 1000 });
        response.write('{"now":', () => url === '/broken' && response.destroy());
      }).listen(0, '127.0.0.1');
      await once(broken, 'listening');
    });
    afterAll(() => {
      broken?.closeAllConnections();
      broken?.close();
    });

    it.each(['broken', 'stalled'])('reports the failure and retries: %s', async (kind) => {
      const { port } = broken.address() as AddressInfo;
      await page.route(RATES, (route) => route.continue({ url: `http://127.0.0.1:${port}/${kind}` }));
      await viewer.goto('#/now');
      const note = page.locator('.note', { hasText: 'The Eye cannot be reached. Trying again…' });
      await note.waitFor();
      await page.unroute(RATES);
      await page.getByRole('img', { name: /^Events per second: accepted/ }).waitFor();
      await eventually(async () => expect(await page.locator('.note:visible').count()).toBe(0));
    });
  });
});
