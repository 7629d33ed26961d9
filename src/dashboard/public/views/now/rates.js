import { colour } from '../../chart/colours.js';
import { timePlot } from '../../chart/plot.js';
import { el } from '../../page/dom.js';
import { count, decimal, duration } from '../../page/format.js';
import { panel } from '../../page/panel.js';

/** @typedef {import('../../api/shapes.js').Rates} Rates */

/** Seconds over which the number beside the plot is averaged, so that it can be read. */
const AVERAGE = 10;

const LINES = /** @type {const} */ ([
  ['accepted', 'Accepted', '--accent', 'Durably in the queue'],
  ['stored', 'Stored', '--stored', 'Written to PostgreSQL'],
  ['refused', 'Refused', '--bad', 'Answered with what was wrong'],
]);

/** @param {import('../../page/panel.js').Screen} screen */
export function ratesPanel(screen) {
  const numbers = LINES.map(() => el('output'));
  const duplicates = el('output');
  const backlog = el('output');
  const backlogAge = el('small');
  const plot = timePlot({
    height: 220,
    label: 'Events a second',
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
      tile(label, property, numbers[at], el('small', {}, 'a second'), meaning),
    ),
    tile('Sent again', undefined, duplicates, el('small', {}, 'a second'), 'Stored before, and so not again'),
    tile('Waiting', undefined, backlog, backlogAge, 'In the queue, not yet stored'),
  );
  const node = el('div', {}, tiles, plot.element);

  return panel(screen, {
    title: 'Events a second, last five minutes',
    address: '/statistics/rates/',
    every: 1000,
    class: 'wide',
    show: (/** @type {Rates} */ rates) => {
      const means = LINES.map(([line]) => mean(rates[line].slice(-AVERAGE)));
      means.forEach((value, at) => (numbers[at].textContent = legible(value)));
      duplicates.textContent = legible(mean(rates.duplicates.slice(-AVERAGE)));
      backlog.textContent = count(rates.backlog.events);
      const oldest = rates.backlog.oldest_seconds;
      backlogAge.textContent = oldest === null ? 'nothing waits' : `oldest ${duration(oldest)}`;
      const end = Math.floor(Date.parse(rates.now) / 1000);
      const seconds = rates.accepted.map((_, at) => end - rates.accepted.length + at);
      const words = LINES.map(([, label], at) => `${label.toLowerCase()} ${decimal(means[at])}`).join(', ');
      plot.show([seconds, ...LINES.map(([line]) => rates[line])], `Events a second: ${words}.`);
      return node;
    },
  });
}

/**
 * @param {string} label
 * @param {string | undefined} property its colour in the plot
 * @param {Node} number
 * @param {Node} unit
 * @param {string} meaning
 */
function tile(label, property, number, unit, meaning) {
  const key = el('i', { class: 'swatch' });
  if (property) key.style.background = `var(${property})`;
  return el('div', { class: 'tile', title: meaning }, el('span', {}, property && key, label), number, unit);
}

/** @param {number} value */
const legible = (value) => (value < 10 ? decimal(value) : count(value));

/** @param {number[]} values */
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / Math.max(values.length, 1);
