import type { Page } from 'playwright-core';

type Snowplow = typeof import('@snowplow/browser-tracker');

// Provided by the page, in which page.evaluate() runs its callback.
declare const snowplow: Snowplow;

/** What a page with Snowplow's tracker for browsers runs. */
export const SNOWPLOW = `import * as snowplow from '@snowplow/browser-tracker'; window.snowplow = snowplow;`;

export const startSnowplow = (
  page: Page,
  collector: string,
  options: Record<string, unknown>,
): Promise<void> =>
  page.evaluate(({ collector, options }) => void snowplow.newTracker('eye', collector, options), {
    collector,
    options,
  });

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
