import { addressOf } from '../../api/client.js';
import { SERIES_COLOURS } from '../../chart/colours.js';
import { stackedBars } from '../../chart/stacked-bars.js';
import { el } from '../../page/dom.js';
import { pick } from '../../page/filters.js';
import { counted } from '../../page/format.js';
import { FIRST_PAGE } from '../../page/pagination.js';
import { panel } from '../../page/panel.js';
import { rangeParameters } from '../../page/range.js';
import { ranking } from '../../page/ranking.js';
import { changed, go } from '../../page/router.js';

/** @typedef {import('../../api/shapes.js').RejectionSummary} RejectionSummary */

const MINUTE = 60_000;
const INTERVALS_MS = { minute: MINUTE, hour: 60 * MINUTE, day: 1440 * MINUTE };

/**
 * Counts of refused events over time, by reason, type and application.
 * @param {import('../../page/panel.js').Screen} screen
 * @param {() => Promise<import('../../page/range.js').Range>} range
 */
export function summaryPanel(screen, range) {
  const { route, signal } = screen;
  return panel(screen, {
    title: 'Refused over time',
    address: async () => {
      const { from, to } = await range();
      return addressOf('/rejections/summary/', {
        ...pick(route, ['application', 'code']),
        from: new Date(from).toISOString(),
        to: new Date(to).toISOString(),
        interval: intervalFor(to - from),
      });
    },
    tools:
      route.parameters.code &&
      el(
        'a',
        { class: 'button quiet', href: changed(route, { code: undefined, ...FIRST_PAGE }) },
        'All reasons',
      ),
    show: (/** @type {RejectionSummary} */ summary) => {
      if (summary.total === 0)
        return el('div', { class: 'empty' }, el('p', {}, 'Nothing was refused in this range.'));
      const starts = bucketsOf(summary);
      const chart = stackedBars({
        signal,
        label: 'Refused events over time by reason',
        starts,
        end: Date.parse(summary.to),
        layers: layersOf(route, summary, starts),
        onSelect: (from, to) => go(changed(route, rangeParameters({ from, to }))),
      });
      return el(
        'div',
        {},
        chart,
        el(
          'p',
          { class: 'foot' },
          el('b', {}, counted(summary.total, 'refusal')),
          `, by ${summary.interval}.`,
          (route.parameters.category || route.parameters.name) &&
            ' These counts cover all types: the filters for category and name apply only to the list below.',
        ),
        rankings(route, summary),
      );
    },
  });
}

/**
 * @param {number} length milliseconds
 * @returns {RejectionSummary['interval']}
 */
function intervalFor(length) {
  if (length <= 400 * INTERVALS_MS.minute) return 'minute';
  return length <= 400 * INTERVALS_MS.hour ? 'hour' : 'day';
}

/** @param {RejectionSummary} summary */
function bucketsOf({ from, to, interval }) {
  const begin = Date.parse(from);
  return Array.from(
    { length: Math.ceil((Date.parse(to) - begin) / INTERVALS_MS[interval]) },
    (_, at) => begin + at * INTERVALS_MS[interval],
  );
}

/**
 * One layer for each of the most frequent reasons, and one for the sum of the others.
 * @param {import('../../page/router.js').Route} route
 * @param {RejectionSummary} summary
 * @param {number[]} starts
 * @returns {import('../../chart/stacked-bars.js').Layer[]}
 */
function layersOf(route, { results, interval }, starts) {
  const codes = tally(results, ({ code }) => code);
  const layers = codes.slice(0, SERIES_COLOURS).map(({ label, count }) => ({
    label,
    total: count,
    counts: starts.map(() => 0),
    href: changed(route, { code: label, ...FIRST_PAGE }),
  }));
  const rest = codes.slice(SERIES_COLOURS);
  const others = {
    label: counted(rest.length, 'other reason'),
    total: rest.reduce((sum, { count }) => sum + count, 0),
    counts: starts.map(() => 0),
    others: true,
  };
  for (const { code, time, count } of results) {
    const { counts } = layers.find(({ label }) => label === code) ?? others;
    counts[Math.floor((Date.parse(time) - starts[0]) / INTERVALS_MS[interval])] += count;
  }
  return rest.length === 0 ? layers : [...layers, others];
}

/**
 * @param {import('../../page/router.js').Route} route
 * @param {RejectionSummary} summary
 */
function rankings(route, { results, total }) {
  const reasons = tally(results, ({ code }) => code).map((item) => ({
    ...item,
    href: changed(route, { code: item.label, ...FIRST_PAGE }),
  }));
  const applications = tally(results, ({ application }) => application).map((item) => ({
    ...item,
    href: changed(route, { application: item.label, ...FIRST_PAGE }),
  }));
  const types = tally(results, ({ category, name }) => `${category}\0${name}`).map(({ label, count }) => {
    const [category, name] = label.split('\0');
    return {
      label: `${category || '(none)'} · ${name || '(none)'}`,
      count,
      // The list has no filter for a missing category or name.
      href: category && name ? changed(route, { category, name, ...FIRST_PAGE }) : undefined,
    };
  });
  return el(
    'div',
    { class: 'rankings' },
    ranking('Reasons', total, reasons.slice(0, 10)),
    ranking('Types', total, types.slice(0, 10)),
    ranking('Applications', total, applications.slice(0, 10)),
  );
}

/**
 * @param {RejectionSummary['results']} rows
 * @param {(row: RejectionSummary['results'][number]) => string} labelOf
 * @returns {{ label: string, count: number }[]} largest first
 */
function tally(rows, labelOf) {
  /** @type {Map<string, number>} */
  const sums = new Map();
  for (const row of rows) sums.set(labelOf(row), (sums.get(labelOf(row)) ?? 0) + row.count);
  return [...sums].map(([label, count]) => ({ label, count })).sort((a, b) => b.count - a.count);
}
