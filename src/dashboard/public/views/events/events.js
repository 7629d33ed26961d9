import { addressOf } from '../../api/client.js';
import { el, withArrowKeys } from '../../page/dom.js';
import { conditions, filters, pick } from '../../page/filters.js';
import { emptyList } from '../../page/empty-list.js';
import { pagination } from '../../page/pagination.js';
import { panel } from '../../page/panel.js';
import { changed } from '../../page/router.js';
import { eventRow } from './event-row.js';

/** @typedef {import('../../api/shapes.js').StoredEvent} StoredEvent */

const FILTERS = ['application', 'category', 'name', 'session_id', 'where', 'from', 'to'];

/** @type {import('../../main.js').View} The events that match the filters, page by page. */
export function eventsView(screen) {
  const { route } = screen;
  const { from, to, cursor, ordering = '-timestamp' } = route.parameters;
  const list = panel(screen, {
    title: 'Events',
    address: addressOf(
      '/events/',
      {
        ...pick(route, ['application', 'category', 'name', 'session_id']),
        timestamp_after: from,
        timestamp_before: to,
        ordering,
        page_size: 50,
        cursor,
      },
      conditions(route),
    ),
    tools: order(route, ordering),
    show: (/** @type {import('../../api/shapes.js').Page<StoredEvent>} */ page) => {
      if (page.results.length === 0)
        return emptyList(route, 'event', FILTERS, 'No event has been stored yet.');
      const rows = el(
        'ol',
        { class: 'rows', 'aria-label': 'Events' },
        ...page.results.map((event) => eventRow(event)),
      );
      return el('div', {}, withArrowKeys(rows, 'a.open'), pagination(route, page, 'event'));
    },
  });
  return {
    title: 'Events',
    content: [
      el('h1', { class: 'unseen', tabindex: -1 }, 'Events'),
      el('section', { class: 'panel' }, filters(screen, { fields: FILTERS, resets: ['cursor'] })),
      list,
    ],
  };
}

/**
 * @param {import('../../page/router.js').Route} route
 * @param {string} ordering
 */
function order(route, ordering) {
  const newest = ordering === '-timestamp';
  const other = { ordering: newest ? 'timestamp' : undefined, cursor: undefined };
  return el(
    'a',
    { class: 'button quiet', href: changed(route, other) },
    newest ? 'Newest first' : 'Oldest first',
  );
}
