import uPlot from '/dashboard/vendor/uplot.js';
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
 * }} Layer `href`: where its name in the legend leads
 */

/**
 * Counts over time as bars, one layer upon the other, the largest at the bottom. A range is marked with the pointer.
 * @param {{
 *   signal: AbortSignal,
 *   label: string,
 *   starts: number[],
 *   end: number,
 *   layers: Layer[],
 *   brushed: (from: number, to: number) => void,
 * }} wishes `starts`: milliseconds at which each bar begins; `end`: where the last one ends
 */
export function stackedBars({ signal, label, starts, end, layers, brushed }) {
  const tip = el('div', { class: 'tip', hidden: true });
  const edges = [...starts, end];
  const at = (/** @type {uPlot} */ plot, /** @type {number} */ x) => {
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
      // The tallest first, which the lower ones then cover.
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
            brushed(edges[at(self, left)], edges[at(self, left + width) + 1]);
          },
        ],
        setCursor: [
          (self) => {
            const { left = -1 } = self.cursor;
            tip.hidden = left < 0;
            if (left >= 0) explain(self, at(self, left), left);
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
  function explain(self, bar, left) {
    const present = layers
      .map((layer, rank) => ({ layer, rank }))
      .filter(({ layer }) => layer.counts[bar] > 0);
    const sum = present.reduce((total, { layer }) => total + layer.counts[bar], 0);
    const iso = (/** @type {number} */ ms) => dateTime(new Date(ms).toISOString(), { digits: 0 });
    tip.replaceChildren(
      el('p', {}, iso(edges[bar]), ' – ', iso(edges[bar + 1]).slice(11)),
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
 * @returns {number[][]} each upon those before it
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
    { class: 'legend', 'aria-label': 'What the colours mean' },
    ...layers.map(({ label, total, others, href }, rank) => {
      const words = [swatch(rank, others), label, ' ', el('b', {}, count(total))];
      return el(
        'li',
        {},
        href === undefined ? el('span', {}, ...words) : el('a', { href, title: `Only ${label}` }, ...words),
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
