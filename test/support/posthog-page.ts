import type { Page } from 'playwright-core';

interface PostHog {
  init(key: string, options: Record<string, unknown>): void;
  capture(event: string, properties: Record<string, unknown>): void;
  identify(id: string, properties: Record<string, unknown>): void;
}

// Provided by the page, in which page.evaluate() runs its callback.
declare const posthog: PostHog;

/** What a page with posthog-js runs. */
export const POSTHOG = `import posthog from 'posthog-js'; window.posthog = posthog;`;

export const startPosthog = (
  page: Page,
  key: string,
  api_host: string,
  options: Record<string, unknown> = {},
): Promise<void> =>
  page.evaluate(({ key, options }) => posthog.init(key, options), {
    key,
    // It sends nothing from browsers that are automated otherwise.
    options: { api_host, opt_out_useragent_filter: true, capture_pageview: false, ...options },
  });

/** Captures 28 events, whose property `user` or `distinct_id` is the user. */
export const capture28InPage = (page: Page, user: string): Promise<void> =>
  page.evaluate((user) => {
    const properties = { user, text: 'Grüße 🎉', price: 9.99, nested: { list: [1, 2.5, null] } };
    posthog.capture('$pageview', { user });
    posthog.identify(user, { plan: 'pro' });
    posthog.capture('Order Completed', properties);
    for (let n = 0; n < 25; n++) posthog.capture('Item Viewed', { n, ...properties });
  }, user);
