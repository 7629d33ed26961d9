import { el } from './dom.js';
import { count } from './format.js';
import { changed } from './router.js';

/** A change of the address that leads to the first page: a cursor is good only for the query that it was made with. */
export const FIRST_PAGE = { cursor: undefined, since: undefined };

/**
 * The way from page to page, by the cursors that the API gave out.
 * @param {import('./router.js').Route} route
 * @param {{ count?: number, count_is_estimate?: boolean, next: string | null, previous: string | null }} page
 * @param {string} row what there are several of
 * @param {Record<string, string | undefined>} [beside] parameters that the cursors need beside them
 */
export function pages(route, { count: number, count_is_estimate: estimated, next, previous }, row, beside) {
  const link = (/** @type {string} */ label, /** @type {string | null} */ address) => {
    if (address === null) return el('span', { class: 'button', 'aria-disabled': 'true' }, label);
    const cursor = new URL(address).searchParams.get('cursor');
    return el('a', { class: 'button', href: changed(route, { ...beside, cursor }) }, label);
  };
  const words =
    number === undefined
      ? ''
      : `${estimated ? 'About ' : ''}${count(number)} ${row}${number === 1 ? '' : 's'}`;
  return el(
    'nav',
    { class: 'pages', 'aria-label': 'Pages' },
    link('← Previous', previous),
    link('Next →', next),
    el('span', {}, words),
  );
}
