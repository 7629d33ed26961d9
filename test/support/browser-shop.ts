import type { Browser } from 'playwright-core';
import { startBrowser } from '../../testing/browser.js';
import type { TheEye } from '../../testing/the-eye.js';
import { Site } from './site.js';
import { startEyeWithKey } from './start-eye.js';

/** The Eye with AUTH=required, a site of another origin that has a key to send to it, and a browser to open its page. */
export class BrowserShop {
  eye: TheEye;
  key: string;
  site: Site;
  browser: Browser;

  /** @param program the module that the page runs */
  constructor(private readonly program = '') {}

  async start(): Promise<void> {
    this.site = await Site.start(this.program);
    const allowed_origins = [this.site.origin];
    ({ eye: this.eye, key: this.key } = await startEyeWithKey({ allowed_origins }));
    this.browser = await startBrowser();
  }

  /** Also after a failed start. */
  async close(): Promise<void> {
    await this.browser?.close();
    await this.eye?.close();
    this.site?.close();
  }
}
