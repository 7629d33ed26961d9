import type { Browser, Page } from 'playwright-core';
import { startBrowser } from '../../testing/browser.js';
import { Admin } from '../../testing/keys.js';
import { eventually, TheEye } from '../../testing/the-eye.js';
import { snowplowNode, track28Events } from '../support/snowplow-node.js';
import { SnowplowSite, track28InPage } from '../support/snowplow-page.js';
import { startEye } from '../support/start-eye.js';
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
  let eye: TheEye;
  let proxy: UnreliableProxy;
  let site: SnowplowSite;
  let browser: Browser;
  let key: string;

  beforeAll(async () => {
    site = await SnowplowSite.start();
    eye = await startEye({ AUTH: 'required' });
    const admin = await Admin.of(eye);
    ({ key } = await admin.create('shop', { scope: 'ingest', allowed_origins: [site.origin] }));
    proxy = await UnreliableProxy.start(() => eye.url);
    browser = await startBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    proxy?.close();
    await eye?.close();
    site?.close();
  });

  const count = async (condition: string, value: string): Promise<{ stored: number; eids: number }> => {
    const [row] = await eye.sql<{ stored: number; eids: number }>(
      `SELECT count(*)::int AS stored, count(DISTINCT data->>'eid')::int AS eids FROM events WHERE ${condition}`,
      [value],
    );
    return row as { stored: number; eids: number };
  };

  it('the tracker for Node has each of 28 events stored once, if it is flushed again', async () => {
    let delivered = 0;
    const onRequestSuccess = (events: unknown[]): void => void (delivered += events.length);
    const tracker = snowplowNode({
      url: proxy.url,
      appId: key,
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
    await eye.drained();
    expect(await count('session_id = $1', title)).toEqual({ stored: 28, eids: 28 });
  });

  it('the tracker for browsers has each of 28 events stored once, if more happens', async () => {
    const page = await browser.newPage();
    await site.open(page, proxy.url, { appId: key });
    fail(proxy);
    await track28InPage(page, title);
    await eventually(async () => expect(await queuedAfterFlush(page)).toBe(0), 6 * UNAVAILABLE_MS);
    await eye.drained();
    expect(await count(`data->>'uid' = $1`, title)).toEqual({ stored: 28, eids: 28 });
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
