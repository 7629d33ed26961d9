import { el } from '../../page/dom.js';
import { filters } from '../../page/filters.js';
import { FIRST_PAGE } from '../../page/pagination.js';
import { DAY, rangeBar, rangeOf } from '../../page/range.js';
import { refusedListPanel } from './list.js';
import { summaryPanel } from './summary.js';

const DEFAULT_RANGE = 'day';
/** The API summarises at most 1,000 days, of which the first and the last may be partial. */
const MAX_RANGE_MS = 999 * DAY;

/** @type {import('../../main.js').View} The refused events, and the reasons. */
export function refusedView(screen) {
  const range = rangeOf(screen.route, DEFAULT_RANGE);
  return {
    title: 'Refused',
    content: [
      el('h1', { class: 'unseen', tabindex: -1 }, 'Refused'),
      el(
        'section',
        { class: 'panel bar', 'aria-label': 'Range and filters' },
        rangeBar(screen.route, DEFAULT_RANGE, range, ['hour', 'day', 'week', 'month'], MAX_RANGE_MS),
        filters(screen, { fields: ['application', 'category', 'name'], resets: Object.keys(FIRST_PAGE) }),
      ),
      summaryPanel(screen, range),
      refusedListPanel(screen, range),
    ],
  };
}
