import { colour } from '../../chart/colours.js';
import { timePlot } from '../../chart/plot.js';
import { el } from '../../page/dom.js';
import { count, decimal, duration } from '../../page/format.js';
import { panel } from '../../page/panel.js';

/** @typedef {import('../../api/shapes.js').Rates} Rates */

/** The numbers beside the plot are averages over this many seconds, so that they are readable. */
const AVERAGE_SECONDS = 10;

const LINES = /** @type {const} */ ([
  ['accepted', 'Accepted', '--accent', 'Durably queued'],
  ['stored', 'Stored', '--stored', 'Written to PostgreSQL'],
  ['refused', 'Refused', '--bad', 'Rejected with the reason'],
]);

/** @param {import('../../page/panel.js').Screen} screen */
export function ratesPanel(screen) {
  const numbers = LINES.map(() => el('output'));
  const duplicates = el('output');
  const backlog = el('output');
  const backlogAge = el('small');
  const plot = timePlot({
    height: 220,
    label: 'Events per second',
    signal: screen.signal,
    options: () => ({
      series: [
        {},
        ...LINES.map(([, , property], at) => ({
          stroke: colour(property),
          width: at === 0 ? 2 : 1.5,
          fill: at === 0 ? colour('--accent-soft') : undefined,
          points: { show: false },
        })),
      ],
    }),
  });
  const tiles = el(
    'div',
    { class: 'tiles' },
    ...LINES.map(([, label, property, meaning], at) =>
      tile(label, property, numbers[at], el('small', {}, 'per second'), meaning),
    ),
    tile(
      'Duplicates',
      undefined,
      duplicates,
      el('small', {}, 'per second'),
      'Stored already, and not stored again',
    ),
    tile('Waiting', undefined, backlog, backlogAge, 'Queued, not stored yet'),
  );
  const node = el('div', {}, tiles, plot.element);

  return panel(screen, {
    title: 'Events per second, last five minutes',
    address: '/statistics/rates/',
    intervalMs: 1000,
    class: 'wide',
    show: (/** @type {Rates} */ rates) => {
      const means = LINES.map(([line]) => mean(rates[line].slice(-AVERAGE_SECONDS)));
      means.forEach((value, at) => (numbers[at].textContent = formatRate(value)));
      duplicates.textContent = formatRate(mean(rates.duplicates.slice(-AVERAGE_SECONDS)));
      backlog.textContent = count(rates.backlog.events);
      const oldest = rates.backlog.oldest_seconds;
      backlogAge.textContent = oldest === null ? 'none' : `oldest ${duration(oldest)}`;
      const end = Math.floor(Date.parse(rates.now) / 1000);
      const seconds = rates.accepted.map((_, at) => end - rates.accepted.length + at);
      const averages = LINES.map(([, label], at) => `${label.toLowerCase()} ${decimal(means[at])}`).join(
        ', ',
      );
      plot.show([seconds, ...LINES.map(([line]) => rates[line])], `Events per second: ${averages}.`);
      return node;
    },
  });
}

/**
 * @param {string} label
 * @param {string | undefined} property the CSS custom property with its colour in the plot
 * @param {Node} number
 * @param {Node} unit
 * @param {string} meaning
 */
function tile(label, property, number, unit, meaning) {
  const swatch = el('i', { class: 'swatch' });
  if (property) swatch.style.background = `var(${property})`;
  return el(
    'div',
    { class: 'tile', title: meaning },
    el('span', {}, property && swatch, label),
    number,
    unit,
  );
}

/** @param {number} value */
const formatRate = (value) => (value < 10 ? decimal(value) : count(value));

/** @param {number[]} values */
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / Math.max(values.length, 1);
