import { build } from 'esbuild';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from 'playwright-core';

type Snowplow = typeof import('@snowplow/browser-tracker');

// Provided by the page, in which page.evaluate() runs its callback.
declare const snowplow: Snowplow;

/** A site with Snowplow's tracker for browsers on its only page. */
export class SnowplowSite {
  private constructor(private readonly server: Server) {}

  static async start(): Promise<SnowplowSite> {
    const { outputFiles } = await build({
      stdin: {
        contents: `import * as snowplow from '@snowplow/browser-tracker'; window.snowplow = snowplow;`,
        resolveDir: import.meta.dirname,
      },
      bundle: true,
      minify: true,
      write: false,
      target: 'es2022',
    });
    const [script] = outputFiles;
    const page =
      '<!doctype html><title>A shop</title><link rel="icon" href="data:,"><body><script src="/snowplow.js"></script>';
    const server = createServer(({ url }, response) => {
      if (url === '/snowplow.js') response.setHeader('content-type', 'text/javascript').end(script?.text);
      else response.setHeader('content-type', 'text/html').end(page);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new SnowplowSite(server);
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Opens the page, and starts a tracker. */
  async open(page: Page, collector: string, options: Record<string, unknown>): Promise<void> {
    await page.goto(this.origin);
    await page.evaluate(({ collector, options }) => void snowplow.newTracker('eye', collector, options), {
      collector,
      options,
    });
  }

  close(): void {
    this.server.close();
  }
}

/** Tracks 28 events of this user: those of `track28Events()`. */
export const track28InPage = (page: Page, user: string): Promise<void> =>
  page.evaluate((user) => {
    const track = (name: string, data: Record<string, unknown>): void =>
      snowplow.trackSelfDescribingEvent({
        event: { schema: `iglu:com.example/${name}/jsonschema/1-0-0`, data },
      });
    snowplow.setUserId(user);
    track('order_completed', { price: 9.99, text: 'Grüße 🎉', nested: { list: [1, 2.5, null] } });
    snowplow.trackPageView();
    snowplow.trackStructEvent({ category: 'shop', action: 'add', label: 'shoes', value: 2 });
    for (let n = 0; n < 25; n++) track('item_viewed', { n });
  }, user);
