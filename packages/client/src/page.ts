/** The address of the page that was tracked last. `document.referrer` does not change in single-page applications. */
let previous: string | undefined;

const withoutQuery = (address: string): string => address.replace(/[?#].*/, '');

/** What an event of a page says about it. Empty outside pages. */
export function pageData(): Record<string, string> {
  if (!IS_SCRIPT && typeof document === 'undefined') return {};
  const { host, pathname, search, href } = location;
  const data: Record<string, string> = { host, path: pathname, title: document.title };
  // Queries may hold what is private, so only what names a campaign is taken from them.
  const referrer = withoutQuery(previous ?? document.referrer);
  // A page that comes back from the back/forward cache is not its own referrer.
  if (referrer && referrer !== withoutQuery(href)) data['referrer'] = referrer;
  new URLSearchParams(search).forEach((value, name) => {
    if (/^utm_\w+$/.test(name)) data[name] = value;
  });
  previous = href;
  return data;
}
