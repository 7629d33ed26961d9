import { el } from './dom.js';
import { dateTime } from './format.js';
import { FIRST_PAGE } from './pages.js';
import { changed, go } from './router.js';

/**
 * A range of time, in milliseconds since 1970; `to` is exclusive. `since` keeps one that has only a name, and ends now, from
 * page to page.
 * @typedef {{ from: number, to: number, since?: string }} Range
 */

const MINUTE = 60_000;
export const DAY = 86_400_000;
/** Less cannot be told apart: counts are by the minute. */
const SHORTEST = 5 * MINUTE;
/** The first timestamp that an event can have. */
const FIRST = Date.parse('0001-01-01T00:00:00Z');

/** @type {Record<string, [label: string, length: number]>} */
const PRESETS = {
  hour: ['Hour', 60 * MINUTE],
  day: ['Day', DAY],
  week: ['Week', 7 * DAY],
  month: ['Month', 30 * DAY],
  year: ['Year', 365 * DAY],
};

/**
 * The range of a route: found once for all who ask, and again where that failed. `known` waits until it is found.
 * @param {import('./router.js').Route} route
 * @param {string} byDefault
 * @param {() => Promise<number | undefined>} [oldest] where `all` begins
 * @returns {(() => Promise<Range>) & { known: Promise<Range> }}
 */
export function rangeOf(route, byDefault, oldest) {
  /** @type {Promise<Range> | undefined} */
  let found;
  /** @type {(range: Range) => void} */
  let tell;
  const known = new Promise((/** @type {(range: Range) => void} */ resolve) => (tell = resolve));
  const ask = async () => {
    try {
      const range = await find(route, byDefault, oldest);
      tell(range);
      return range;
    } catch (error) {
      found = undefined;
      throw error;
    }
  };
  return Object.assign(() => (found ??= ask()), { known });
}

/**
 * `from` and `to`, or a name that ends now, or that began at `since`, when the first of several pages was found.
 * @param {import('./router.js').Route} route
 * @param {string} byDefault
 * @param {() => Promise<number | undefined>} [oldest]
 * @returns {Promise<Range>}
 */
async function find({ parameters }, byDefault, oldest) {
  const exact = exactOf(parameters);
  if (exact) return exact;
  const now = Date.now();
  const name = parameters.range ?? byDefault;
  if (name === 'all' && oldest)
    return { from: Math.min((await oldest()) ?? now - DAY, now - SHORTEST), to: now };
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
 * The last timestamp before a time, for an API that includes the end of a range.
 * @param {number} time
 */
export const lastBefore = (time) => `${new Date(time - 1).toISOString().slice(0, -1)}999Z`;

/** @param {Range} range as parameters of a route */
export function exactly({ from, to }) {
  return {
    ...FIRST_PAGE,
    range: undefined,
    from: new Date(from).toISOString(),
    to: new Date(to).toISOString(),
  };
}

/**
 * Names of ranges to choose from, and ways to go from the present one to its neighbours.
 * @param {import('./router.js').Route} route
 * @param {string} byDefault
 * @param {ReturnType<typeof rangeOf>} range
 * @param {string[]} names
 * @param {number} [longest] milliseconds
 */
export function rangeBar(route, byDefault, range, names, longest = Infinity) {
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
        onclick: () => void range().then((now) => go(changed(route, exactly(sensible(next(now), longest))))),
      },
      label,
    );
  const words = el('span', { class: 'muted' });
  // Whoever needs it asks for it, and says what went wrong.
  void range.known.then(({ from, to }) => (words.textContent = `${spell(from)} – ${spell(to)}`));
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
    words,
  );
}

/** @param {number} instant */
const spell = (instant) => dateTime(new Date(instant).toISOString(), { digits: 0 }).slice(0, -3);

/**
 * Not before the first timestamp, not into the future, and neither shorter nor longer than can be shown.
 * @param {Range} range
 * @param {number} longest
 * @returns {Range}
 */
function sensible({ from, to }, longest) {
  const length = Math.min(Math.max(to - from, SHORTEST), longest);
  const end = Math.min(Math.round((from + to + length) / 2), Date.now());
  return { from: Math.max(Math.round(end - length), FIRST), to: end };
}
