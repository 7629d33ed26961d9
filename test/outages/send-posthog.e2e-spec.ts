import { eventually } from '../../testing/the-eye.js';
import { BrowserShop } from '../support/browser-shop.js';
import { capture28Events, posthogNode } from '../support/posthog-node.js';
import { capture28InPage, POSTHOG, startPosthog } from '../support/posthog-page.js';
import { countStored } from '../support/stored.js';
import { UnreliableProxy } from '../support/unreliable-proxy.js';

/** Milliseconds in which every client has sent again what it can. */
const RETRIES_TIMEOUT_MS = 120_000;

/** Sends 28 events of a user. Resolves once they are sent, or left to a page. */
type Send = (user: string) => Promise<unknown>;

describe('The SDKs of PostHog', () => {
  const shop = new BrowserShop(POSTHOG);
  let proxy: UnreliableProxy;

  beforeAll(async () => {
    await shop.start();
    proxy = await UnreliableProxy.start(() => shop.eye.url);
  });
  afterAll(async () => {
    proxy?.close();
    await shop.close();
  });

  const sendFromNode =
    (mode: 'v0' | 'v1'): Send =>
    (user) => {
      // Four attempts within nine seconds are its default.
      const { client } = posthogNode(shop.key, proxy.url, mode, { fetchRetryCount: 6 });
      capture28Events(client, user);
      return client.shutdown(RETRIES_TIMEOUT_MS);
    };

  const sendFromPage: Send = async (user) => {
    const page = await shop.browser.newPage();
    await page.goto(shop.site.origin);
    await startPosthog(page, shop.key, proxy.url, { advanced_disable_flags: true });
    await capture28InPage(page, user);
  };

  /** The number of stored events of a user, and of their ids. */
  const stored = (user: string): Promise<unknown> =>
    countStored(
      shop.eye,
      'uuid',
      `name <> '$pageleave'
       AND $1 IN (data->>'distinct_id', data->'properties'->>'user', data->'properties'->>'distinct_id')`,
      user,
    );

  describe.each<[string, Send]>([
    ['posthog-node', sendFromNode('v0')],
    ['posthog-node in its mode v1', sendFromNode('v1')],
    ['posthog-js', sendFromPage],
  ])('%s', (client, send) => {
    it('stores each event once after two responses were lost', async () => {
      const before = proxy.requests.length;
      proxy.loseResponses(2);
      await send(`${client}, lost`);
      await eventually(
        async () => expect(await stored(`${client}, lost`)).toEqual({ events: 28, ids: 28 }),
        RETRIES_TIMEOUT_MS,
      );
      // Two requests are sent again at least, after which nothing more is stored.
      await eventually(() => {
        expect(proxy.requests.length - before).toBeGreaterThanOrEqual(3);
        return Promise.resolve();
      }, RETRIES_TIMEOUT_MS);
      await shop.eye.drained();
      expect(await stored(`${client}, lost`)).toEqual({ events: 28, ids: 28 });
    });

    it('loses no event while the response is 503 for ten seconds', async () => {
      proxy.beUnavailable(10_000);
      await send(`${client}, 503`);
      await eventually(
        async () => expect(await stored(`${client}, 503`)).toEqual({ events: 28, ids: 28 }),
        RETRIES_TIMEOUT_MS,
      );
    });
  });
});
