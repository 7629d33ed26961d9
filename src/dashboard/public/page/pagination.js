import { el } from './dom.js';
import { count } from './format.js';
import { changed } from './router.js';

/** Parameters that lead to the first page. A cursor is valid only for the query that it came from. */
export const FIRST_PAGE = { cursor: undefined, since: undefined };

/**
 * Links to the previous and the next page, by the cursors of the API.
 * @param {import('./router.js').Route} route
 * @param {{ count?: number, count_is_estimate?: boolean, next: string | null, previous: string | null }} page
 * @param {string} row the kind of row
 * @param {Record<string, string | undefined>} [extra] parameters that the cursors depend on
 */
export function pagination(
  route,
  { count: number, count_is_estimate: estimated, next, previous },
  row,
  extra,
) {
  const link = (/** @type {string} */ label, /** @type {string | null} */ address) => {
    if (address === null) return el('span', { class: 'button', 'aria-disabled': 'true' }, label);
    const cursor = new URL(address, location.href).searchParams.get('cursor');
    return el('a', { class: 'button', href: changed(route, { ...extra, cursor }) }, label);
  };
  const total =
    number === undefined
      ? ''
      : `${estimated ? 'About ' : ''}${count(number)} ${row}${number === 1 ? '' : 's'}`;
  return el(
    'nav',
    { class: 'pages', 'aria-label': 'Pages' },
    link('← Previous', previous),
    link('Next →', next),
    el('span', {}, total),
  );
}
