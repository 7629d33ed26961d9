import { build } from 'esbuild';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from 'playwright-core';

interface PostHog {
  init(key: string, options: Record<string, unknown>): void;
  capture(event: string, properties: Record<string, unknown>): void;
  identify(id: string, properties: Record<string, unknown>): void;
}

// Provided by the page, in which page.evaluate() runs its callback.
declare const posthog: PostHog;

/** A site with posthog-js on its only page. */
export class PosthogSite {
  private constructor(private readonly server: Server) {}

  static async start(): Promise<PosthogSite> {
    const { outputFiles } = await build({
      stdin: {
        contents: `import posthog from 'posthog-js'; window.posthog = posthog;`,
        resolveDir: import.meta.dirname,
      },
      bundle: true,
      minify: true,
      write: false,
      target: 'es2022',
    });
    const [script] = outputFiles;
    const server = createServer(({ url }, response) => {
      if (url === '/posthog.js') response.setHeader('content-type', 'text/javascript').end(script?.text);
      else
        response
          .setHeader('content-type', 'text/html')
          .end(
            '<!doctype html><title>A shop</title><link rel="icon" href="data:,"><body><script src="/posthog.js"></script>',
          );
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new PosthogSite(server);
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Opens the page, and starts posthog-js. */
  async open(
    page: Page,
    key: string,
    api_host: string,
    options: Record<string, unknown> = {},
  ): Promise<void> {
    await page.goto(this.origin);
    await page.evaluate(({ key, options }) => posthog.init(key, options), {
      key,
      // It sends nothing from browsers that are automated otherwise.
      options: { api_host, opt_out_useragent_filter: true, capture_pageview: false, ...options },
    });
  }

  close(): void {
    this.server.close();
  }
}

/** Captures 28 events, whose property `user` or `distinct_id` is the user. */
export const capture28InPage = (page: Page, user: string): Promise<void> =>
  page.evaluate((user) => {
    const properties = { user, text: 'Grüße 🎉', price: 9.99, nested: { list: [1, 2.5, null] } };
    posthog.capture('$pageview', { user });
    posthog.identify(user, { plan: 'pro' });
    posthog.capture('Order Completed', properties);
    for (let n = 0; n < 25; n++) posthog.capture('Item Viewed', { n, ...properties });
  }, user);
