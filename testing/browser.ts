import { existsSync } from 'node:fs';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

/** Chromium with its windows, menus and extensions, which nobody sees here. */
const CHROMIUM = '/usr/bin/chromium';

/** The same without them. It takes two thirds of the CPU time, or less. */
const HEADLESS_SHELL = '/usr/bin/chromium-headless-shell';

/**
 * Starts the Chromium of the system, without the requests that it sends to other hosts by itself.
 * @param options whether pages that are left are kept for a return, as visitors' browsers do; the headless shell cannot
 */
export async function startBrowser({ hasBackForwardCache = false } = {}): Promise<Browser> {
  const candidates = hasBackForwardCache ? [CHROMIUM] : [HEADLESS_SHELL, CHROMIUM];
  const executablePath = candidates.find((path) => existsSync(path));
  if (executablePath === undefined) throw new Error(`There is no ${CHROMIUM}: apt-get install chromium`);
  return chromium.launch({
    executablePath,
    ...(hasBackForwardCache && { ignoreDefaultArgs: ['--disable-back-forward-cache'] }),
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

/** What Chromium logs for a 503, which a busy machine may cause at any time. The page asks again, and specs see the result. */
const BUSY = /responded with a status of 503/;

/** A page of The Eye, with the errors that its browser reports. */
export class Viewer {
  /** Errors of scripts, of the console and of the content security policy, but no 503. */
  readonly errors: string[] = [];
  /** The URLs of all requests. */
  readonly requestedUrls: string[] = [];

  private constructor(
    readonly page: Page,
    private readonly url: string,
  ) {
    // Long enough for a machine that other specs keep busy.
    page.setDefaultTimeout(60_000);
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type()) && !BUSY.test(message.text()))
        this.errors.push(message.text());
    });
    page.on('pageerror', (error) => this.errors.push(String(error)));
    page.on('request', (request) => this.requestedUrls.push(request.url()));
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

  /**
   * Resolves once the view is shown. The page keeps the view before until the next one has loaded.
   * @param hash where in the page, e.g. `#/history`
   */
  async goto(hash: string): Promise<void> {
    await this.page.goto(`${this.url}/${hash}`);
    await this.shown();
  }

  get hash(): string {
    return new URL(this.page.url()).hash;
  }

  /** Resolves once the address is this one, and its view is shown. */
  async at(hash: string): Promise<void> {
    await this.page.waitForURL((url) => url.hash === hash);
    await this.shown();
  }

  private async shown(): Promise<void> {
    // Another address of the same document is reported before the page itself learns of it.
    await this.page.evaluate('new Promise((resolve) => setTimeout(resolve))');
    await this.page.locator('main:not([aria-busy=true]) > *').first().waitFor();
  }

  /** The URLs of requests to other hosts. */
  foreignUrls(): string[] {
    return this.requestedUrls.filter((address) => !address.startsWith(`${this.url}/`));
  }

  close(): Promise<void> {
    return this.page.context().close();
  }
}
