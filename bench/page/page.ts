import { setTimeout as wait } from 'node:timers/promises';
import type { Browser, Page } from 'playwright-core';
import { startBrowser, Viewer } from '../../testing/browser.js';
import type { TheEye } from '../../testing/the-eye.js';
import { makeEvent } from '../support/events.js';
import { onTheEye } from '../../testing/on-the-eye.js';
import { logProgress } from '../support/progress.js';
import { percentile } from '../../testing/statistics.js';

/** Names of the page's views by URL fragment. */
export const VIEWS = { '#/now': 'now', '#/history': 'history' } as const;

/** Events per second; 0 is the baseline. */
const EVENT_RATES = [0, 1000];
/** Events per request. */
const ARRAY_SIZE = 50;

export interface PageResult {
  view: keyof typeof VIEWS;
  /** Accepted events per second. */
  rate: number;
  /** Frames per second. */
  frames: number;
  /** Frame intervals in milliseconds. */
  p50: number;
  p99: number;
  longest: number;
  /** Milliseconds per second in which scripts blocked the page: the part of each task beyond 50 ms. */
  blocked: number;
  /** JavaScript heap in bytes at the end. */
  heap: number;
}

/** Measures how smooth the page is while no events arrive, and while many arrive. */
export async function measurePage(quick: boolean): Promise<PageResult[]> {
  const seconds = quick ? 3 : 30;
  const browser = await startBrowser();
  try {
    return await onTheEye(async (eye) => {
      // Gives the page something to draw.
      for (let array = 0; array < 100; array++) await eye.store(currentEvents(`before-${array}`));
      const results: PageResult[] = [];
      for (const view of Object.keys(VIEWS) as (keyof typeof VIEWS)[]) {
        for (const rate of EVENT_RATES) results.push(await measureView(browser, eye, view, rate, seconds));
      }
      return results;
    });
  } finally {
    await browser.close();
  }
}

/** Events with the current timestamp, distinct from those of other requests. */
function currentEvents(request: string): Record<string, unknown>[] {
  const timestamp = new Date().toISOString();
  return Array.from({ length: ARRAY_SIZE }, (_, index) => ({ ...makeEvent(index, request), timestamp }));
}

async function measureView(
  browser: Browser,
  eye: TheEye,
  view: keyof typeof VIEWS,
  rate: number,
  seconds: number,
): Promise<PageResult> {
  logProgress(`page: ${VIEWS[view]}, ${rate.toLocaleString('en')} events per second`);
  const viewer = await Viewer.open(browser, eye.url);
  const stopping = new AbortController();
  const sending = send(eye, rate, stopping.signal);
  try {
    await viewer.goto(view);
    await wait(1000);
    const before = await acceptedEvents(eye);
    const { frames, blocked } = await recordFrames(viewer.page, seconds);
    const receivedRate = ((await acceptedEvents(eye)) - before) / seconds;
    if (viewer.errors.length > 0) throw new Error(`The page reported errors: ${viewer.errors.join(', ')}`);
    const heap = await viewer.page.evaluate<number>('performance.memory.usedJSHeapSize');
    return {
      view,
      rate: receivedRate,
      frames: frames.length / seconds,
      p50: percentile(frames, 0.5),
      p99: percentile(frames, 0.99),
      longest: Math.max(...frames),
      blocked: blocked / seconds,
      heap,
    };
  } finally {
    stopping.abort();
    await sending;
    await viewer.close();
  }
}

/** Sends arrays at even intervals; a late one is sent immediately. */
async function send(eye: TheEye, rate: number, stop: AbortSignal): Promise<void> {
  const startedAt = performance.now();
  for (let array = 0; rate > 0 && !stop.aborted; array++) {
    const { status } = await eye.post('/events/', currentEvents(`${startedAt}-${array}`));
    if (status !== 202) throw new Error(`Sending events returned ${status}.`);
    await wait(Math.max(0, startedAt + ((array + 1) * ARRAY_SIZE * 1000) / rate - performance.now()));
  }
}

async function acceptedEvents(eye: TheEye): Promise<number> {
  const { body } = await eye.get('/metrics');
  return Number(/^the_eye_events_accepted_total.* (\d+)$/m.exec(String(body))?.[1] ?? 0);
}

/** Records frame intervals and the part of long tasks beyond 50 ms, inside the page. */
function recordFrames(page: Page, seconds: number): Promise<{ frames: number[]; blocked: number }> {
  return page.evaluate(`new Promise((resolve) => {
    const frames = [];
    let blocked = 0;
    let last = performance.now();
    const observer = new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) blocked += duration - 50;
    });
    observer.observe({ type: 'longtask' });
    const end = last + ${seconds * 1000};
    requestAnimationFrame(function onFrame(now) {
      frames.push(now - last);
      last = now;
      if (now < end) return requestAnimationFrame(onFrame);
      observer.disconnect();
      resolve({ frames: frames.slice(1), blocked });
    });
  })`);
}
