import { addressOf } from '../../api/client.js';
import { COLOURS } from '../../chart/colours.js';
import { stackedBars } from '../../chart/stacked-bars.js';
import { sendFirst } from '../../page/api-call.js';
import { el } from '../../page/dom.js';
import { pick } from '../../page/filters.js';
import { counted } from '../../page/format.js';
import { panel } from '../../page/panel.js';
import { DAY, exactly, lastBefore } from '../../page/range.js';
import { changed, go, href } from '../../page/router.js';
import { settings } from '../../page/settings.js';
import { FILTERS } from './event-filters.js';

/** @typedef {import('../../api/shapes.js').Counts} Counts */
/** @typedef {import('../../page/range.js').Range} Range */

const GROUPS = ['category', 'name', 'type', 'application'];

/** Bars beyond which the next longer interval is taken. */
const MOST_BARS = 400;

/** Years that are plotted at once, by week: the API gives no more than 5,000 bars. */
const MOST_YEARS = 95;

/** Counts that the API gives at once: bars times groups. */
const MOST_COUNTS = 20_000;

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
  /** @type {Range | undefined} what of the range is not plotted */
  let before;
  return panel(screen, {
    title: 'Events over time',
    address: async () => {
      const whole = await range();
      const { to } = whole;
      const from = Math.max(whole.from, to - MOST_YEARS * YEAR);
      if (whole.from < from) before = { from: whole.from, to: from };
      const [interval, step] = intervalFor(to - from);
      // A range may begin and end within a bar.
      const bars = Math.ceil((to - from) / step) + 2;
      return addressOf('/statistics/events/', {
        ...pick(route, FILTERS),
        from: new Date(from).toISOString(),
        to: new Date(to).toISOString(),
        interval,
        group_by: by,
        limit: Math.min(COLOURS, Math.floor(MOST_COUNTS / bars)),
        timezone: settings.timeZone,
      });
    },
    tools: groupChoice(route, by),
    show: (/** @type {Counts} */ counts) => {
      if (counts.total === 0) return nothing(route, before);
      const starts = counts.buckets.map((bucket) => Date.parse(bucket));
      const chart = stackedBars({
        signal,
        label: `Events over time by ${by}`,
        starts,
        end: Math.max(Date.parse(counts.to), lastEnd(starts, counts.interval)),
        layers: counts.series.map((series) => layer(route, series)),
        brushed: (from, to) => go(changed(route, exactly({ from, to }))),
      });
      return el('div', {}, before && tooLong(route, before), chart, foot(route, counts));
    },
  });
}

/**
 * Where the last bar would end if it were whole, so that the present is as wide as the past.
 * @param {number[]} starts
 * @param {string} interval
 */
const lastEnd = (starts, interval) =>
  (starts.at(-1) ?? 0) + (INTERVALS.find(([name]) => name === interval)?.[1] ?? 1);

/** @param {number} length milliseconds */
const intervalFor = (length) =>
  INTERVALS.find(([, step]) => length / step <= MOST_BARS) ?? INTERVALS[INTERVALS.length - 1];

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
  // The list includes both ends, the counts do not include the last.
  const list = href('events', { ...pick(route, FILTERS), from, to: lastBefore(Date.parse(to)) });
  return el(
    'p',
    { class: 'foot' },
    el('b', {}, counted(total, 'event')),
    `, by ${interval}. Mark a part of the plot to look closer. `,
    el('a', { href: list }, 'List these events'),
  );
}

/**
 * @param {import('../../page/router.js').Route} route
 * @param {Range} before
 */
function tooLong(route, before) {
  return el(
    'p',
    { class: 'summary' },
    `This range is too long to be plotted at once: these are its last ${MOST_YEARS} years. `,
    el('a', { href: changed(route, exactly(before)) }, 'Plot those before'),
  );
}

/**
 * @param {import('../../page/router.js').Route} route
 * @param {Range} [before]
 */
function nothing(route, before) {
  if (before)
    return el(
      'div',
      { class: 'empty' },
      tooLong(route, before),
      el('p', {}, 'No event that is asked for lies in them.'),
    );
  const filtered = FILTERS.some((name) => route.parameters[name] !== undefined);
  const all = route.parameters.range === 'all';
  if (all && !filtered)
    return el('div', { class: 'empty' }, el('p', {}, 'No event has been stored yet.'), sendFirst());
  const wider = el(
    'a',
    { href: changed(route, { range: 'all', from: undefined, to: undefined }) },
    'Look at all of the time',
  );
  return el(
    'div',
    { class: 'empty' },
    el('p', {}, filtered ? 'No event of this range matches the filters.' : 'No event lies in this range.'),
    el('p', {}, all ? el('a', { href: href('history') }, 'Take the filters off') : wider),
  );
}
