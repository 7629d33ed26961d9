import uPlot from '../vendor/uplot.js';
import { el } from '../page/dom.js';
import { count, dateTime } from '../page/format.js';
import { colour, seriesColour } from './colours.js';
import { timePlot } from './plot.js';

/**
 * @typedef {{
 *   label: string,
 *   total: number,
 *   counts: number[],
 *   others?: boolean,
 *   href?: string,
 * }} Layer `href`: the link of its name in the legend
 */

/**
 * Counts over time as stacked bars, with the first layer at the bottom. The pointer selects a range.
 * @param {{
 *   signal: AbortSignal,
 *   label: string,
 *   starts: number[],
 *   end: number,
 *   layers: Layer[],
 *   onSelect: (from: number, to: number) => void,
 * }} parameters `starts` and `end`: the start of each bar and the end of the last, in milliseconds since 1970
 */
export function stackedBars({ signal, label, starts, end, layers, onSelect }) {
  const tip = el('div', { class: 'tip', hidden: true });
  const boundaries = [...starts, end];
  const barAt = (/** @type {uPlot} */ plot, /** @type {number} */ x) => {
    const instant = plot.posToVal(x, 'x') * 1000;
    return Math.min(
      Math.max(
        starts.findLastIndex((start) => start <= instant),
        0,
      ),
      starts.length - 1,
    );
  };

  const plot = timePlot({
    height: 260,
    label,
    signal,
    options: () => ({
      cursor: { points: { show: false }, y: false, drag: { x: true, y: false, setScale: false } },
      scales: {
        x: { range: () => [starts[0] / 1000, end / 1000] },
        y: { range: (_, __, most) => [0, Math.max(most * 1.08, 1)] },
      },
      // The tallest series is drawn first, and the lower ones cover it.
      series: [
        {},
        ...layers
          .map(({ others }, rank) => ({
            fill: colour(seriesColour(rank, others)),
            width: 0,
            points: { show: false },
            paths: uPlot.paths.bars?.({ size: [1, Infinity, 1], align: 1, gap: starts.length > 200 ? 0 : 1 }),
          }))
          .toReversed(),
      ],
      hooks: {
        setSelect: [
          (self) => {
            const { left, width } = self.select;
            if (width < 4) return;
            self.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
            onSelect(boundaries[barAt(self, left)], boundaries[barAt(self, left + width) + 1]);
          },
        ],
        setCursor: [
          (self) => {
            const { left = -1 } = self.cursor;
            tip.hidden = left < 0;
            if (left >= 0) showTip(self, barAt(self, left), left);
          },
        ],
      },
    }),
  });

  /**
   * @param {uPlot} self
   * @param {number} bar
   * @param {number} left
   */
  function showTip(self, bar, left) {
    const present = layers
      .map((layer, rank) => ({ layer, rank }))
      .filter(({ layer }) => layer.counts[bar] > 0);
    const sum = present.reduce((total, { layer }) => total + layer.counts[bar], 0);
    const iso = (/** @type {number} */ ms) => dateTime(new Date(ms).toISOString(), { digits: 0 });
    tip.replaceChildren(
      el('p', {}, iso(boundaries[bar]), ' – ', iso(boundaries[bar + 1]).slice(11)),
      el('p', {}, el('b', {}, count(sum))),
      ...present.map(({ layer, rank }) =>
        el('p', {}, swatch(rank, layer.others), `${layer.label} `, el('b', {}, count(layer.counts[bar]))),
      ),
    );
    const room = self.over.clientWidth;
    tip.style.left = `${Math.min(left + self.over.offsetLeft + 12, Math.max(room - 180, 0))}px`;
  }

  plot.show(
    [starts.map((start) => start / 1000), ...stack(layers).toReversed()],
    `${label}: ${layers.map((layer) => `${layer.label} ${count(layer.total)}`).join(', ')}.`,
  );
  const box = el('div', { class: 'chart' }, plot.element, tip);
  return el('div', {}, legend(layers), box);
}

/**
 * @param {Layer[]} layers
 * @returns {number[][]} for each layer, the sums with the layers below it
 */
function stack(layers) {
  /** @type {number[][]} */
  const sums = [];
  for (const { counts } of layers) {
    const below = sums.at(-1);
    sums.push(counts.map((value, at) => value + (below?.[at] ?? 0)));
  }
  return sums;
}

/** @param {Layer[]} layers */
function legend(layers) {
  return el(
    'ul',
    { class: 'legend', 'aria-label': 'Legend' },
    ...layers.map(({ label, total, others, href }, rank) => {
      const content = [swatch(rank, others), label, ' ', el('b', {}, count(total))];
      return el(
        'li',
        {},
        href === undefined
          ? el('span', {}, ...content)
          : el('a', { href, title: `Only ${label}` }, ...content),
      );
    }),
  );
}

/**
 * @param {number} rank
 * @param {boolean} [others]
 */
function swatch(rank, others) {
  const element = el('i', { class: 'swatch' });
  element.style.background = `var(${seriesColour(rank, others)})`;
  return element;
}
