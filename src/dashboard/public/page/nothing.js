import { sendFirst } from './api-call.js';
import { el } from './dom.js';
import { href } from './router.js';

/**
 * What stands in the place of a list without rows: the way to all of them, or to the first one.
 * @param {import('./router.js').Route} route
 * @param {'event' | 'session'} row what there is none of
 * @param {string[]} fields that the list may be filtered by
 * @param {string} none words where it is not filtered
 */
export function nothing(route, row, fields, none) {
  const filtered = fields.some((name) => route.parameters[name] !== undefined);
  if (!filtered) return el('div', { class: 'empty' }, el('p', {}, none), sendFirst());
  const all = el('a', { href: href(`${row}s`) }, `Look at all ${row}s`);
  return el('div', { class: 'empty' }, el('p', {}, `No ${row} matches these filters.`), el('p', {}, all));
}
