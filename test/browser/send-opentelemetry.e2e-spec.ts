import { build } from 'esbuild';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser } from 'playwright-core';
import { startBrowser } from '../../testing/browser.js';
import { Admin } from '../../testing/keys.js';
import { eventually, TheEye } from '../../testing/the-eye.js';
import { startEye } from '../support/start-eye.js';

/** What the page runs: the exporter for browsers sends 28 events at once. */
const PROGRAM = `
  import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-http';
  import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';

  export async function send(url, headers, session) {
    const exporter = new OTLPLogExporter({ url, headers });
    const provider = new LoggerProvider({ processors: [new BatchLogRecordProcessor({ exporter })] });
    const logger = provider.getLogger('page');
    const attributes = { 'session.id': session, text: 'Grüße 🎉', price: 9.99 };
    for (let n = 0; n < 28; n++)
      logger.emit({ eventName: 'com.example.item.viewed', attributes: { ...attributes, n } });
    await provider.forceFlush();
  }
`;

declare const sender: { send(url: string, headers: Record<string, string>, session: string): Promise<void> };

describe("OpenTelemetry's exporter in a browser", () => {
  let eye: TheEye;
  let server: Server;
  let browser: Browser;
  let port: number;
  let key: string;

  beforeAll(async () => {
    const { outputFiles } = await build({
      stdin: { contents: PROGRAM, resolveDir: import.meta.dirname },
      bundle: true,
      write: false,
      format: 'iife',
      globalName: 'sender',
      platform: 'browser',
    });
    const script = outputFiles[0]?.text ?? '';
    server = createServer((_, response) =>
      response
        .setHeader('content-type', 'text/html; charset=utf-8')
        .end(
          `<!doctype html><title>A shop</title><script>${script.replaceAll('</script', '<\\/script')}</script>`,
        ),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    ({ port } = server.address() as AddressInfo);
    eye = await startEye({ AUTH: 'required' });
    const admin = await Admin.of(eye);
    ({ key } = await admin.create('shop', {
      scope: 'ingest',
      allowed_origins: [`http://127.0.0.1:${port}`],
    }));
    browser = await startBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await eye?.close();
    server?.close();
  });

  /** @param headers empty for a page that has the key in its address */
  async function sendFromPage(url: string, headers: Record<string, string>, session: string): Promise<void> {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${port}/`);
    await page.evaluate(([to, with_, of]) => sender.send(to, with_, of), [url, headers, session] as const);
    await page.close();
  }

  const expectStored = (session: string): Promise<void> =>
    eventually(async () => {
      const rows = await eye.sql(
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
    await sendFromPage(`${eye.url}/v1/logs`, { authorization: `Bearer ${key}` }, 'header');
    await expectStored('header');
  });

  it('sends them with the key in the address, which needs no header of its own', async () => {
    await sendFromPage(`${eye.url}/v1/logs?key=${key}`, {}, 'address');
    await expectStored('address');
  });
});
