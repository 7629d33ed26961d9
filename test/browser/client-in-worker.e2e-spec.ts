import { BrowserShop } from '../support/browser-shop.js';
import { countStored } from '../support/stored.js';

const COUNT = 28;

// Provided by the browser, in which page.evaluate() runs its callback.
declare const Worker: new (
  url: string,
  options: { name: string },
) => { onmessage: (message: { data: unknown }) => void };

/** Does nothing in a page. In a worker it sends to The Eye, whose address and key are in the name of the worker. */
const PROGRAM = `
  import { createEye } from '../../packages/client/dist/index.js';
  async function sendAll() {
    const eye = createEye(JSON.parse(self.name));
    const tracked = Array.from({ length: ${COUNT} }, (_, n) => eye.track('from a worker', { n }));
    const accepted = (await Promise.all(tracked)).filter(Boolean).length;
    self.postMessage({ accepted, isSent: await eye.flush() });
  }
  if (typeof document === 'undefined') sendAll().catch((error) => self.postMessage(String(error)));`;

describe('The client in a web worker', () => {
  const shop = new BrowserShop(PROGRAM);
  beforeAll(() => shop.start());
  afterAll(() => shop.close());

  it('sends every event that it has accepted once', async () => {
    const page = await shop.browser.newPage();
    await page.goto(shop.site.origin);
    const name = JSON.stringify({ url: shop.eye.url, key: shop.key });
    const report = await page.evaluate(
      (options) =>
        new Promise((resolve) => (new Worker('/script.js', options).onmessage = ({ data }) => resolve(data))),
      { name },
    );
    expect(report).toEqual({ accepted: COUNT, isSent: true });
    await shop.eye.drained();
    expect(await countStored(shop.eye, 'n', 'name = $1', 'from a worker')).toEqual({
      events: COUNT,
      ids: COUNT,
    });
  });
});
