import { addressOf } from '../../api/client.js';
import { SERIES_COLOURS } from '../../chart/colours.js';
import { stackedBars } from '../../chart/stacked-bars.js';
import { firstEventHint } from '../../page/api-call.js';
import { el } from '../../page/dom.js';
import { pick } from '../../page/filters.js';
import { counted } from '../../page/format.js';
import { panel } from '../../page/panel.js';
import { DAY, rangeParameters, lastTimestampBefore } from '../../page/range.js';
import { changed, go, href } from '../../page/router.js';
import { settings } from '../../page/settings.js';
import { FILTERS } from './event-filters.js';

/** @typedef {import('../../api/shapes.js').Counts} Counts */
/** @typedef {import('../../page/range.js').Range} Range */

const GROUPS = ['category', 'name', 'type', 'application'];

/** A range with more bars uses the next longer interval. */
const MAX_BARS = 400;

/** Years in one plot, by week. The API returns at most 5,000 buckets. */
const MAX_YEARS = 95;

/** Counts in one response of the API: buckets times groups. */
const MAX_COUNTS = 20_000;

/** @type {[interval: string, milliseconds: number][]} */
const INTERVALS = [
  ['minute', 60_000],
  ['hour', 3_600_000],
  ['day', DAY],
  ['week', 7 * DAY],
];
const YEAR = 365.25 * DAY;

/**
 * @param {import('../../page/panel.js').Screen} screen
 * @param {() => Promise<Range>} range
 */
export function overTimePanel(screen, range) {
  const { route, signal } = screen;
  const by = GROUPS.find((group) => group === route.parameters.by) ?? 'category';
  /** @type {Range | undefined} the part of the range that is too early for the plot */
  let earlier;
  return panel(screen, {
    title: 'Events over time',
    address: async () => {
      const whole = await range();
      const { to } = whole;
      const from = Math.max(whole.from, to - MAX_YEARS * YEAR);
      if (whole.from < from) earlier = { from: whole.from, to: from };
      const [interval, step] = intervalFor(to - from);
      // A range may start and end inside a bar.
      const bars = Math.ceil((to - from) / step) + 2;
      return addressOf('/statistics/events/', {
        ...pick(route, FILTERS),
        from: new Date(from).toISOString(),
        to: new Date(to).toISOString(),
        interval,
        group_by: by,
        limit: Math.min(SERIES_COLOURS, Math.floor(MAX_COUNTS / bars)),
        timezone: settings.timeZone,
      });
    },
    tools: groupChoice(route, by),
    show: (/** @type {Counts} */ counts) => {
      if (counts.total === 0) return emptyChart(route, earlier);
      const starts = counts.buckets.map((bucket) => Date.parse(bucket));
      const chart = stackedBars({
        signal,
        label: `Events over time by ${by}`,
        starts,
        end: Math.max(Date.parse(counts.to), lastEnd(starts, counts.interval)),
        layers: counts.series.map((series) => layer(route, series)),
        onSelect: (from, to) => go(changed(route, rangeParameters({ from, to }))),
      });
      return el('div', {}, earlier && tooLong(route, earlier), chart, foot(route, counts));
    },
  });
}

/**
 * The end of the last bar if its interval were complete, so that all bars have the same width.
 * @param {number[]} starts
 * @param {string} interval
 */
const lastEnd = (starts, interval) =>
  (starts.at(-1) ?? 0) + (INTERVALS.find(([name]) => name === interval)?.[1] ?? 1);

/** @param {number} length milliseconds */
const intervalFor = (length) =>
  INTERVALS.find(([, step]) => length / step <= MAX_BARS) ?? INTERVALS[INTERVALS.length - 1];

/**
 * @param {import('../../page/router.js').Route} route
 * @param {import('../../api/shapes.js').Series} series
 * @returns {import('../../chart/stacked-bars.js').Layer}
 */
function layer(route, { application, category, name, others, groups, total, counts }) {
  if (others) return { label: counted(groups ?? 0, 'other'), total, counts, others };
  const filter = Object.fromEntries(
    Object.entries({ application, category, name }).filter(([, value]) => value),
  );
  const label = [application, category, name].filter(Boolean).join(' · ') || 'All events';
  return { label, total, counts, href: changed(route, filter) };
}

/**
 * @param {import('../../page/router.js').Route} route
 * @param {string} by
 */
function groupChoice(route, by) {
  const links = GROUPS.map((group) =>
    el(
      'a',
      {
        id: `by-${group}`,
        href: changed(route, { by: group === 'category' ? undefined : group }),
        'aria-current': group === by && 'true',
      },
      group,
    ),
  );
  return el('div', { class: 'choices', role: 'group', 'aria-label': 'Stacked by' }, ...links);
}

/**
 * @param {import('../../page/router.js').Route} route
 * @param {Counts} counts
 */
function foot(route, { from, to, total, interval }) {
  // The list includes `to`; the counts exclude it.
  const list = href('events', { ...pick(route, FILTERS), from, to: lastTimestampBefore(Date.parse(to)) });
  return el(
    'p',
    { class: 'foot' },
    el('b', {}, counted(total, 'event')),
    `, by ${interval}. Select a part of the plot to zoom in. `,
    el('a', { href: list }, 'List these events'),
  );
}

/**
 * @param {import('../../page/router.js').Route} route
 * @param {Range} earlier
 */
function tooLong(route, earlier) {
  return el(
    'p',
    { class: 'summary' },
    `This range is too long for one plot, which shows its last ${MAX_YEARS} years. `,
    el('a', { href: changed(route, rangeParameters(earlier)) }, 'Plot the earlier years'),
  );
}

/**
 * @param {import('../../page/router.js').Route} route
 * @param {Range} [earlier]
 */
function emptyChart(route, earlier) {
  if (earlier)
    return el(
      'div',
      { class: 'empty' },
      tooLong(route, earlier),
      el('p', {}, 'No matching event is in these years.'),
    );
  const filtered = FILTERS.some((name) => route.parameters[name] !== undefined);
  const all = route.parameters.range === 'all';
  if (all && !filtered)
    return el('div', { class: 'empty' }, el('p', {}, 'No event has been stored yet.'), firstEventHint());
  const wider = el(
    'a',
    { href: changed(route, { range: 'all', from: undefined, to: undefined }) },
    'Show all of the time',
  );
  return el(
    'div',
    { class: 'empty' },
    el(
      'p',
      {},
      filtered ? 'No event in this range matches the filters.' : 'There is no event in this range.',
    ),
    el('p', {}, all ? el('a', { href: href('history') }, 'Clear the filters') : wider),
  );
}
