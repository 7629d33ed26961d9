import { addressOf } from '../../api/client.js';
import { el, withArrowKeys } from '../../page/dom.js';
import { filters, pick } from '../../page/filters.js';
import { counted, duration, time } from '../../page/format.js';
import { emptyList } from '../../page/empty-list.js';
import { pagination } from '../../page/pagination.js';
import { panel } from '../../page/panel.js';
import { href } from '../../page/router.js';

/** @typedef {import('../../api/shapes.js').Session} Session */

const FILTERS = ['application', 'category'];

/** @type {import('../../main.js').View} The sessions, newest first. */
export function sessionsView(screen) {
  const { route } = screen;
  const list = panel(screen, {
    title: 'Sessions',
    address: addressOf('/sessions/', { ...pick(route, [...FILTERS, 'cursor']), page_size: 50 }),
    show: (/** @type {import('../../api/shapes.js').Page<Session>} */ page) => {
      if (page.results.length === 0) return emptyList(route, 'session', FILTERS, 'There is no session yet.');
      const rows = el('ol', { class: 'rows sessions', 'aria-label': 'Sessions' }, ...page.results.map(row));
      return el('div', {}, withArrowKeys(rows, 'a.open'), pagination(route, page, 'session'));
    },
  });
  return {
    title: 'Sessions',
    content: [
      el('h1', { class: 'unseen', tabindex: -1 }, 'Sessions'),
      el('section', { class: 'panel' }, filters(screen, { fields: FILTERS, resets: ['cursor'] })),
      list,
    ],
  };
}

/** @param {Session} session */
function row({ session_id, last, duration: length, events, applications, entry, exit }) {
  return el(
    'li',
    {},
    el('a', { class: 'open', href: href('sessions', {}, session_id) }, time(last)),
    el('span', { class: 'session' }, session_id),
    el(
      'span',
      { class: 'type' },
      `${counted(events, 'event')}${length > 0 ? ` in ${duration(length)}` : ''}`,
    ),
    el('span', { class: 'application' }, applications.join(', ')),
    el('span', { class: 'preview' }, events === 1 ? type(entry) : `${type(entry)} → ${type(exit)}`),
  );
}

/** @param {import('../../api/shapes.js').SessionEnd} end */
const type = ({ category, name }) => `${category} / ${name}`;
