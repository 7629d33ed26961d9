import { firstEventHint } from './api-call.js';
import { el } from './dom.js';
import { href } from './router.js';

/**
 * Replaces a list without rows: with a link to the unfiltered list, or with the command that sends a first event.
 * @param {import('./router.js').Route} route
 * @param {'event' | 'session'} row the kind of row
 * @param {string[]} fields the filters of the list
 * @param {string} none the text without filters
 */
export function emptyList(route, row, fields, none) {
  const filtered = fields.some((name) => route.parameters[name] !== undefined);
  if (!filtered) return el('div', { class: 'empty' }, el('p', {}, none), firstEventHint());
  const all = el('a', { href: href(`${row}s`) }, `Show all ${row}s`);
  return el('div', { class: 'empty' }, el('p', {}, `No ${row} matches these filters.`), el('p', {}, all));
}
