import { mkdir } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startBrowser, Viewer } from '../testing/browser.js';
import { EyeClient } from './eye-client.js';
import { sendLive } from './live.js';
import { APPLICATIONS } from './simulation.js';

/*
 * npm run screenshots [-- --url http://127.0.0.1:8000]
 *
 * Takes the pictures in docs/images again, of an Eye with AUTH=off that `npm run demo` has just filled. Takes six minutes,
 * because the plot of current rates shows the last five.
 */

interface Picture {
  file: string;
  hash: string;
  /** Selector of an element that must be present before the picture is taken. */
  until: string;
  colorScheme?: 'light' | 'dark';
  width?: number;
  height?: number;
}

/** The period that the plot of current rates shows. */
const LIVE_PERIOD_MS = 300_000;
/** Events per second in that period. */
const LIVE_RATE = 40;
/** Time for animations, and for the first values of the rates. */
const SETTLE_TIME_MS = 2000;

const { values } = parseArgs({ options: { url: { type: 'string', default: 'http://127.0.0.1:8000' } } });
const url = values.url.replace(/\/$/, '');
const folder = new URL('../docs/images/', import.meta.url).pathname;

/** The id of a session with a payment that is at least two hours old, and therefore complete. */
async function paidSession(): Promise<string> {
  const before = new Date(Date.now() - 7_200_000).toISOString();
  const response = await fetch(
    `${url}/events/?category=checkout&name=pay&page_size=1&timestamp_before=${before}`,
  );
  const { results } = (await response.json()) as { results: { session_id: string }[] };
  if (!results[0]) throw new Error(`There is no payment at ${url}. Run this first: npm run demo`);
  return results[0].session_id;
}

async function take(pictures: Picture[]): Promise<void> {
  const browser = await startBrowser();
  for (const { file, hash, until, colorScheme = 'light', width = 1280, height = 640 } of pictures) {
    const viewer = await Viewer.open(browser, url, { viewport: { width, height }, colorScheme });
    await viewer.goto(hash);
    await viewer.page.locator(until).first().waitFor();
    await wait(SETTLE_TIME_MS);
    await viewer.page.screenshot({ path: `${folder}${file}.png` });
    for (const complaint of viewer.errors) console.error(`${file}: ${complaint}`);
    console.log(`docs/images/${file}.png`);
    await viewer.close();
  }
  await browser.close();
}

await mkdir(folder, { recursive: true });
await take([
  { file: 'history', hash: '#/history', until: '.ranking li' },
  { file: 'history-dark', hash: '#/history', until: '.ranking li', colorScheme: 'dark' },
  { file: 'session', hash: `#/sessions/${await paidSession()}`, until: '.timeline li', height: 480 },
  { file: 'phone', hash: '#/history', until: '.ranking li', width: 390, height: 844 },
]);

const eye = new EyeClient(url, undefined);
await eye.prepare(APPLICATIONS);
const finished = new AbortController();
const sending = sendLive(eye, 1, LIVE_RATE, finished.signal);
try {
  await wait(LIVE_PERIOD_MS);
  await take([
    { file: 'now', hash: '#/now', until: '.tail li' },
    { file: 'now-dark', hash: '#/now', until: '.tail li', colorScheme: 'dark' },
    { file: 'refused', hash: '#/refused?range=hour', until: '.rejections .bad', height: 1150 },
  ]);
} finally {
  finished.abort();
  await sending;
  await eye.revokeKeys();
}
