import { fetchServerNow, serverNow } from '../api/client.js';
import { el } from './dom.js';
import { dateTime } from './format.js';
import { FIRST_PAGE } from './pagination.js';
import { changed, go } from './router.js';

/**
 * A range of time, in milliseconds since 1970. `to` is exclusive. `since` fixes a named range, which ends now, while the
 * viewer pages through it.
 * @typedef {{ from: number, to: number, since?: string }} Range
 */

const MINUTE = 60_000;
export const DAY = 86_400_000;
/** Counts have a resolution of one minute. */
const MIN_RANGE_MS = 5 * MINUTE;
/** The earliest timestamp of an event. */
const FIRST_TIMESTAMP_MS = Date.parse('0001-01-01T00:00:00Z');

/** @type {Record<string, [label: string, length: number]>} */
const PRESETS = {
  hour: ['Hour', 60 * MINUTE],
  day: ['Day', DAY],
  week: ['Week', 7 * DAY],
  month: ['Month', 30 * DAY],
  year: ['Year', 365 * DAY],
};

/**
 * The range of a route, resolved once for all callers, and again after a failure. `known` resolves with the first success.
 * @param {import('./router.js').Route} route
 * @param {string} byDefault
 * @param {() => Promise<number | undefined>} [oldest] the start of the range `all`
 * @returns {(() => Promise<Range>) & { known: Promise<Range> }}
 */
export function rangeOf(route, byDefault, oldest) {
  /** @type {Promise<Range> | undefined} */
  let resolved;
  /** @type {(range: Range) => void} */
  let resolveKnown;
  const known = new Promise((/** @type {(range: Range) => void} */ resolve) => (resolveKnown = resolve));
  const resolve = async () => {
    try {
      const range = await resolveRange(route, byDefault, oldest);
      resolveKnown(range);
      return range;
    } catch (error) {
      resolved = undefined;
      throw error;
    }
  };
  return Object.assign(() => (resolved ??= resolve()), { known });
}

/**
 * Either `from` and `to`, or a named range. A named range ends now, or started at `since` if a later page is shown.
 * @param {import('./router.js').Route} route
 * @param {string} byDefault
 * @param {() => Promise<number | undefined>} [oldest]
 * @returns {Promise<Range>}
 */
async function resolveRange({ parameters }, byDefault, oldest) {
  const exact = exactOf(parameters);
  if (exact) return exact;
  const now = await fetchServerNow();
  const name = parameters.range ?? byDefault;
  if (name === 'all' && oldest)
    return { from: Math.min((await oldest()) ?? now - DAY, now - MIN_RANGE_MS), to: now };
  const [, length] = PRESETS[name] ?? PRESETS[byDefault];
  const begin = Date.parse(parameters.since ?? '') || now - length;
  return { from: begin, to: begin + length, since: new Date(begin).toISOString() };
}

/**
 * @param {import('./router.js').Route['parameters']} parameters
 * @returns {Range | undefined}
 */
function exactOf(parameters) {
  const from = Date.parse(parameters.from ?? '');
  const to = Date.parse(parameters.to ?? '');
  return from < to ? { from, to } : undefined;
}

/**
 * The last timestamp before a time, for parameters of the API that include the end of a range.
 * @param {number} time
 */
export const lastTimestampBefore = (time) => `${new Date(time - 1).toISOString().slice(0, -1)}999Z`;

/**
 * The parameters of a route that select this range and its first page.
 * @param {Range} range
 */
export function rangeParameters({ from, to }) {
  return {
    ...FIRST_PAGE,
    range: undefined,
    from: new Date(from).toISOString(),
    to: new Date(to).toISOString(),
  };
}

/**
 * Links to named ranges, and buttons that move and zoom the current range.
 * @param {import('./router.js').Route} route
 * @param {string} byDefault
 * @param {ReturnType<typeof rangeOf>} range
 * @param {string[]} names
 * @param {number} [maxLength] milliseconds
 */
export function rangeBar(route, byDefault, range, names, maxLength = Infinity) {
  const current = exactOf(route.parameters) ? undefined : (route.parameters.range ?? byDefault);
  const move = (
    /** @type {string} */ label,
    /** @type {string} */ title,
    /** @type {(range: Range) => Range} */ next,
  ) =>
    el(
      'button',
      {
        type: 'button',
        title,
        'aria-label': title,
        onclick: () =>
          void range().then((now) => go(changed(route, rangeParameters(clampRange(next(now), maxLength))))),
      },
      label,
    );
  const description = el('span', { class: 'muted' });
  // The panels resolve the range and show its errors.
  void range.known.then(
    ({ from, to }) => (description.textContent = `${formatMinute(from)} – ${formatMinute(to)}`),
  );
  return el(
    'div',
    { class: 'range', role: 'group', 'aria-label': 'Range of time' },
    el(
      'div',
      { class: 'choices' },
      ...names.map((name) =>
        el(
          'a',
          {
            id: `range-${name}`,
            href: changed(route, {
              ...FIRST_PAGE,
              range: name === byDefault ? undefined : name,
              from: undefined,
              to: undefined,
            }),
            'aria-current': name === current && 'true',
          },
          name === 'all' ? 'All' : PRESETS[name][0],
        ),
      ),
    ),
    el(
      'div',
      { class: 'choices' },
      move('←', 'Earlier', ({ from, to }) => ({ from: from - (to - from) / 2, to: to - (to - from) / 2 })),
      move('−', 'Zoom out', ({ from, to }) => ({ from: from - (to - from) / 2, to: to + (to - from) / 2 })),
      move('+', 'Zoom in', ({ from, to }) => ({ from: from + (to - from) / 4, to: to - (to - from) / 4 })),
      move('→', 'Later', ({ from, to }) => ({ from: from + (to - from) / 2, to: to + (to - from) / 2 })),
    ),
    description,
  );
}

/** @param {number} instant */
const formatMinute = (instant) => dateTime(new Date(instant).toISOString(), { digits: 0 }).slice(0, -3);

/**
 * Limits a range to the timestamps that can exist, to the past, and to the lengths that can be shown.
 * @param {Range} range
 * @param {number} maxLength
 * @returns {Range}
 */
function clampRange({ from, to }, maxLength) {
  const length = Math.min(Math.max(to - from, MIN_RANGE_MS), maxLength);
  const end = Math.min(Math.round((from + to + length) / 2), serverNow());
  return { from: Math.max(Math.round(end - length), FIRST_TIMESTAMP_MS), to: end };
}
