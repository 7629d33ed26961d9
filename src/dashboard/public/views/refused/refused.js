import { el } from '../../page/dom.js';
import { filters } from '../../page/filters.js';
import { FIRST_PAGE } from '../../page/pages.js';
import { DAY, rangeBar, rangeOf } from '../../page/range.js';
import { refusedListPanel } from './list.js';
import { summaryPanel } from './summary.js';

const DEFAULT_RANGE = 'day';
/** A summary has a thousand days at the most, and of the first and the last one maybe only a part. */
const LONGEST = 999 * DAY;

/** @type {import('../../main.js').View} What was refused, and why. */
export function refusedView(screen) {
  const range = rangeOf(screen.route, DEFAULT_RANGE);
  return {
    title: 'Refused',
    content: [
      el('h1', { class: 'unseen', tabindex: -1 }, 'Refused'),
      el(
        'section',
        { class: 'panel bar', 'aria-label': 'What is shown' },
        rangeBar(screen.route, DEFAULT_RANGE, range, ['hour', 'day', 'week', 'month'], LONGEST),
        filters(screen, { fields: ['application', 'category', 'name'], resets: Object.keys(FIRST_PAGE) }),
      ),
      summaryPanel(screen, range),
      refusedListPanel(screen, range),
    ],
  };
}
