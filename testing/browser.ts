import { existsSync } from 'node:fs';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

const CHROMIUM = '/usr/bin/chromium';

/** The Chromium of the system, which asks no host but those of the test. */
export async function startBrowser(): Promise<Browser> {
  if (!existsSync(CHROMIUM))
    throw new Error(`There is no ${CHROMIUM}: apt-get install --no-install-recommends chromium`);
  return chromium.launch({
    executablePath: CHROMIUM,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/** A page of The Eye, and all that its browser complains of. */
export class Viewer {
  /** Errors of scripts, of the console and of the content security policy. */
  readonly complaints: string[] = [];
  /** Addresses that were asked for. */
  readonly asked: string[] = [];

  private constructor(
    readonly page: Page,
    private readonly url: string,
  ) {
    page.setDefaultTimeout(15_000);
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') this.complaints.push(message.text());
    });
    page.on('pageerror', (error) => this.complaints.push(String(error)));
    page.on('request', (request) => this.asked.push(request.url()));
  }

  static async open(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Viewer> {
    const context = await browser.newContext({
      viewport: { width: 1280, height: 900 },
      locale: 'en-GB',
      timezoneId: 'Europe/Berlin',
      ...options,
    });
    return new Viewer(await context.newPage(), url);
  }

  /** @param hash where in the page, e.g. `#/history` */
  async goto(hash: string): Promise<void> {
    await this.page.goto(`${this.url}/${hash}`);
    await this.page.locator('main > *').first().waitFor();
  }

  get hash(): string {
    return new URL(this.page.url()).hash;
  }

  /** Resolves once the address is this one. */
  at(hash: string): Promise<void> {
    return this.page.waitForURL((url) => url.hash === hash);
  }

  /** Addresses of other hosts that were asked for. */
  strangers(): string[] {
    return this.asked.filter((address) => !address.startsWith(`${this.url}/`));
  }

  close(): Promise<void> {
    return this.page.context().close();
  }
}
