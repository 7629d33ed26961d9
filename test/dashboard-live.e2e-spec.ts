import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { startBrowser, Viewer } from './support/browser.js';
import { eventually, TheEye } from './support/the-eye.js';

const RATES = '**/statistics/rates/';

describe('What the dashboard shows of now', () => {
  let eye: TheEye;
  let browser: Browser;
  let viewer: Viewer;
  let page: Page;

  beforeAll(async () => {
    [eye, browser] = await Promise.all([TheEye.start(), startBrowser()]);
  });
  beforeEach(async () => {
    viewer = await Viewer.open(browser, eye.url);
    ({ page } = viewer);
  });
  afterEach(() => viewer.close());
  afterAll(async () => {
    await browser?.close();
    await eye?.close();
  });

  describe('where answers break off', () => {
    let broken: Server;

    beforeAll(async () => {
      broken = createServer((_, response) => {
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': 1000 });
        response.write('{"now":', () => response.destroy());
      }).listen(0, '127.0.0.1');
      await once(broken, 'listening');
    });
    afterAll(() => broken?.close());

    it('says so, and asks again', async () => {
      const { port } = broken.address() as AddressInfo;
      await page.route(RATES, (route) => route.continue({ url: `http://127.0.0.1:${port}/` }));
      await viewer.goto('#/now');
      await page.locator('.note', { hasText: 'The Eye cannot be reached. Trying again…' }).waitFor();
      await page.unroute(RATES);
      await page.getByRole('img', { name: /^Events a second: accepted/ }).waitFor();
      await eventually(async () => expect(await page.locator('.note:visible').count()).toBe(0));
    });
  });
});
