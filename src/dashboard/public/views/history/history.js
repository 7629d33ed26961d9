import { addressOf, fetchJson } from '../../api/client.js';
import { el } from '../../page/dom.js';
import { filters, pick } from '../../page/filters.js';
import { rangeBar, rangeOf } from '../../page/range.js';
import { FILTERS } from './event-filters.js';
import { overTimePanel } from './over-time.js';
import { topPanel } from './top.js';

const DEFAULT_RANGE = 'week';

/** @type {import('../../main.js').View} Events over time, and the most frequent values. */
export function historyView(screen) {
  const { route, signal } = screen;
  const range = rangeOf(route, DEFAULT_RANGE, () => oldest(route, signal));
  return {
    title: 'History',
    content: [
      el('h1', { class: 'unseen', tabindex: -1 }, 'History'),
      el(
        'section',
        { class: 'panel bar', 'aria-label': 'Range and filters' },
        rangeBar(route, DEFAULT_RANGE, range, ['hour', 'day', 'week', 'month', 'year', 'all']),
        filters(screen, { fields: FILTERS }),
      ),
      overTimePanel(screen, range),
      topPanel(screen, range),
    ],
  };
}

/**
 * @param {import('../../page/router.js').Route} route
 * @param {AbortSignal} signal
 * @returns {Promise<number | undefined>} milliseconds
 */
async function oldest(route, signal) {
  const address = addressOf('/events/', { ...pick(route, FILTERS), ordering: 'timestamp', page_size: 1 });
  /** @type {import('../../api/shapes.js').Page<import('../../api/shapes.js').StoredEvent>} */
  const { results } = await fetchJson(address, { signal });
  return results[0] && Date.parse(results[0].timestamp);
}
