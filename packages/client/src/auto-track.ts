import type { Eye } from './types.js';

/** What can be tracked without code: views of pages, clicks on links to other hosts, and submitted forms. */
export type Automatic = 'pageviews' | 'outbound' | 'forms';

/** Tracks what a visitor does on a page. */
export function autoTrack(eye: Eye, automatic: readonly Automatic[]): void {
  if (automatic.includes('pageviews')) trackPages(eye);
  if (automatic.includes('outbound')) {
    for (const type of ['click', 'auxclick'] as const) {
      const track = ({ button, target }: MouseEvent): void => {
        // The right button opens a menu.
        if (button < 2) trackLink(eye, target);
      };
      addEventListener(type, track, { capture: true });
    }
  }
  if (automatic.includes('forms')) {
    addEventListener('submit', ({ target }) => trackForm(eye, target as HTMLFormElement), { capture: true });
  }
}

function trackPages(eye: Eye): void {
  let shown = '';
  const show = (): void => {
    const address = location.pathname + location.search;
    if (address === shown) return;
    shown = address;
    void eye.page();
  };
  for (const method of ['pushState', 'replaceState'] as const) {
    const original = history[method].bind(history);
    history[method] = (...args) => {
      original(...args);
      // Applications set the title after the address.
      setTimeout(show);
    };
  }
  addEventListener('popstate', () => setTimeout(show));
  // A page of the back/forward cache does not run its scripts again.
  addEventListener('pageshow', ({ persisted }) => {
    if (persisted) shown = '';
    show();
  });
  if (document.readyState === 'complete') show();
  else addEventListener('DOMContentLoaded', show);
}

function trackLink(eye: Eye, target: EventTarget | null): void {
  const link = (target as Partial<Element> | null)?.closest?.<HTMLAnchorElement>('a[href]');
  if (!link?.host || link.host === location.host) return;
  void eye.track(
    'outbound',
    { path: location.pathname, url: link.origin + link.pathname },
    { category: 'link interaction' },
  );
}

/** Never takes what was typed. Attributes are read as such, because fields may have their names. */
function trackForm(eye: Eye, form: HTMLFormElement): void {
  const name = form.getAttribute('id') ?? form.getAttribute('name') ?? '';
  void eye.track('submit', { path: location.pathname, form: name }, { category: 'form interaction' });
}
