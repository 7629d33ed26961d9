import { eventually } from '../../testing/the-eye.js';
import { BrowserShop } from '../support/browser-shop.js';

/** What the page runs: the exporter for browsers sends 28 events at once. */
const PROGRAM = `
  import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-http';
  import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';

  window.send = async (url, headers, session) => {
    const exporter = new OTLPLogExporter({ url, headers });
    const provider = new LoggerProvider({ processors: [new BatchLogRecordProcessor({ exporter })] });
    const logger = provider.getLogger('page');
    const attributes = { 'session.id': session, text: 'Grüße 🎉', price: 9.99 };
    for (let n = 0; n < 28; n++)
      logger.emit({ eventName: 'com.example.item.viewed', attributes: { ...attributes, n } });
    await provider.forceFlush();
  };
`;

// Provided by the page, in which page.evaluate() runs its callback.
declare function send(url: string, headers: Record<string, string>, session: string): Promise<void>;

describe("OpenTelemetry's exporter in a browser", () => {
  const shop = new BrowserShop(PROGRAM);

  beforeAll(() => shop.start());
  afterAll(() => shop.close());

  /** @param headers empty for a page that has the key in its address */
  async function sendFromPage(url: string, headers: Record<string, string>, session: string): Promise<void> {
    const page = await shop.browser.newPage();
    await page.goto(shop.site.origin);
    await page.evaluate(([to, with_, of]) => send(to, with_, of), [url, headers, session] as const);
    await page.close();
  }

  const expectStored = (session: string): Promise<void> =>
    eventually(async () => {
      const rows = await shop.eye.sql(
        `SELECT application, category, name, data->'attributes'->>'text' AS text FROM events WHERE session_id = $1`,
        [session],
      );
      expect(rows).toEqual(
        Array.from({ length: 28 }, () => ({
          application: 'shop',
          category: 'page',
          name: 'com.example.item.viewed',
          text: 'Grüße 🎉',
        })),
      );
    });

  it('sends 28 events from a page of another origin with the key in a header', async () => {
    await sendFromPage(`${shop.eye.url}/v1/logs`, { authorization: `Bearer ${shop.key}` }, 'header');
    await expectStored('header');
  });

  it('sends them with the key in the address, which needs no header of its own', async () => {
    await sendFromPage(`${shop.eye.url}/v1/logs?key=${shop.key}`, {}, 'address');
    await expectStored('address');
  });
});
