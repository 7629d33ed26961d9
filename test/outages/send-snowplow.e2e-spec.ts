import type { Page } from 'playwright-core';
import { eventually } from '../../testing/the-eye.js';
import { BrowserShop } from '../support/browser-shop.js';
import { snowplowNode, track28Events } from '../support/snowplow-node.js';
import { SNOWPLOW, startSnowplow, track28InPage } from '../support/snowplow-page.js';
import { countStored } from '../support/stored.js';
import { UnreliableProxy } from '../support/unreliable-proxy.js';

// Provided by the page and its browser, in which page.evaluate() runs its callback.
declare const snowplow: { flushBuffer(): void };
declare const localStorage: { getItem(name: string): string | null };

const UNAVAILABLE_MS = 10_000;

const FAULTS: [string, (proxy: UnreliableProxy) => void][] = [
  ['the first two responses are lost', (proxy) => proxy.loseResponses(2)],
  ['the first requests get 503 for ten seconds', (proxy) => proxy.beUnavailable(UNAVAILABLE_MS)],
];

describe.each(FAULTS)('If %s,', (title, fail) => {
  const shop = new BrowserShop(SNOWPLOW);
  let proxy: UnreliableProxy;

  beforeAll(async () => {
    await shop.start();
    proxy = await UnreliableProxy.start(() => shop.eye.url);
  });
  afterAll(async () => {
    proxy?.close();
    await shop.close();
  });

  const count = (condition: string, value: string): Promise<unknown> =>
    countStored(shop.eye, 'eid', condition, value);

  it('the tracker for Node has each of 28 events stored once, if it is flushed again', async () => {
    let delivered = 0;
    const onRequestSuccess = (events: unknown[]): void => void (delivered += events.length);
    const tracker = snowplowNode({
      url: proxy.url,
      appId: shop.key,
      session: title,
      emitter: { onRequestSuccess },
    });
    fail(proxy);
    track28Events(tracker);
    // It repeats nothing by itself, only at the next flush, of which an application has one for every few events.
    await eventually(async () => {
      await tracker.flush();
      expect(delivered).toBe(28);
    }, 6 * UNAVAILABLE_MS);
    await shop.eye.drained();
    expect(await count('session_id = $1', title)).toEqual({ events: 28, ids: 28 });
  });

  it('the tracker for browsers has each of 28 events stored once, if more happens', async () => {
    const page = await shop.browser.newPage();
    await page.goto(shop.site.origin);
    await startSnowplow(page, proxy.url, { appId: shop.key });
    fail(proxy);
    await track28InPage(page, title);
    await eventually(async () => expect(await queuedAfterFlush(page)).toBe(0), 6 * UNAVAILABLE_MS);
    await shop.eye.drained();
    expect(await count(`data->>'uid' = $1`, title)).toEqual({ events: 28, ids: 28 });
  });
});

/** Lets the tracker of a page send what is left. Resolves with the number of events that it keeps for later. */
const queuedAfterFlush = (page: Page): Promise<number> =>
  page.evaluate(() => {
    snowplow.flushBuffer();
    const queues = Object.keys(localStorage).filter((name) => name.startsWith('snowplowOutQueue'));
    if (queues.length === 0) throw new Error('The tracker has no queue.');
    return queues
      .map((name) => (JSON.parse(localStorage.getItem(name) ?? '[]') as unknown[]).length)
      .reduce((sum, length) => sum + length, 0);
  });
