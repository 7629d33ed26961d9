import { mkdir } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startBrowser, Viewer } from '../test/support/browser.js';
import { goOn } from './live.js';
import { TheEye } from './the-eye.js';
import { APPLICATIONS } from './world.js';

/*
 * npm run screenshots [-- --url http://127.0.0.1:8000]
 *
 * Makes the pictures in docs anew, of an Eye with AUTH=off that `npm run demo` has just filled. Takes six minutes: the
 * plot of the present shows five.
 */

interface Picture {
  file: string;
  hash: string;
  /** What has to be there before the picture is taken. */
  until: string;
  colorScheme?: 'light' | 'dark';
  width?: number;
  height?: number;
}

/** Milliseconds that the plot of the present shows. */
const PRESENT = 300_000;
/** Events a second meanwhile. */
const RATE = 40;

const { values } = parseArgs({ options: { url: { type: 'string', default: 'http://127.0.0.1:8000' } } });
const url = values.url.replace(/\/$/, '');
const folder = new URL('../docs/images/', import.meta.url).pathname;

/** A session of a payment that is over. */
async function paidSession(): Promise<string> {
  const before = new Date(Date.now() - 7_200_000).toISOString();
  const answer = await fetch(
    `${url}/events/?category=checkout&name=pay&page_size=1&timestamp_before=${before}`,
  );
  const { results } = (await answer.json()) as { results: { session_id: string }[] };
  if (!results[0]) throw new Error(`There is no payment at ${url}: fill it with npm run demo`);
  return results[0].session_id;
}

async function take(pictures: Picture[]): Promise<void> {
  const browser = await startBrowser();
  for (const { file, hash, until, colorScheme = 'light', width = 1280, height = 640 } of pictures) {
    const viewer = await Viewer.open(browser, url, { viewport: { width, height }, colorScheme });
    await viewer.goto(hash);
    await viewer.page.locator(until).first().waitFor();
    // For the plot, and for the numbers of a second.
    await wait(2000);
    await viewer.page.screenshot({ path: `${folder}${file}.png` });
    for (const complaint of viewer.complaints) console.error(`${file}: ${complaint}`);
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

const eye = new TheEye(url, undefined);
await eye.prepare(APPLICATIONS);
const over = new AbortController();
const living = goOn(eye, 1, RATE, over.signal);
try {
  await wait(PRESENT);
  await take([
    { file: 'now', hash: '#/now', until: '.tail li' },
    { file: 'now-dark', hash: '#/now', until: '.tail li', colorScheme: 'dark' },
    { file: 'refused', hash: '#/refused?range=hour', until: '.rejections .bad', height: 1150 },
  ]);
} finally {
  over.abort();
  await living;
  await eye.leave();
}
