import uPlot from '../vendor/uplot.js';
import { el } from '../page/dom.js';
import { settings } from '../page/settings.js';
import { colour } from './colours.js';
import { timeLabels } from './time-axis.js';
import { compact } from '../page/format.js';

/** @typedef {uPlot.Options} Options */
/** @typedef {uPlot.AlignedData} Data */

/**
 * A plot over time that fills the available width and follows the theme and the time zone.
 * @param {{
 *   height: number,
 *   label: string,
 *   signal: AbortSignal,
 *   options: () => Partial<Options> & Pick<Options, 'series'>,
 * }} parameters `options` is called again when the colours change
 */
export function timePlot({ height, label, signal, options }) {
  const element = el('div', { class: 'plot', role: 'img', 'aria-label': label });
  element.style.minHeight = `${height}px`;
  /** @type {uPlot | undefined} */
  let plot;
  /** @type {Data} */
  let data = [[]];

  function build() {
    plot?.destroy();
    const width = element.clientWidth;
    if (width === 0) return;
    plot = new uPlot({ width, height, ...common(), ...options() }, data, element);
  }
  const resizeObserver = new ResizeObserver(() => {
    if (plot && element.clientWidth > 0) plot.setSize({ width: element.clientWidth, height });
    else build();
  });
  resizeObserver.observe(element);
  settings.addEventListener('change', build, { signal });
  signal.addEventListener('abort', () => (resizeObserver.disconnect(), plot?.destroy()), { once: true });

  return {
    element,
    /**
     * @param {Data} next
     * @param {string} [description] of the data, for screen readers
     */
    show(next, description = label) {
      data = next;
      plot?.setData(data);
      element.setAttribute('aria-label', description);
    },
  };
}

/** @returns {Partial<Options>} */
function common() {
  const axis = {
    stroke: colour('--muted'),
    font: '11px system-ui, sans-serif',
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { show: false },
  };
  return {
    tzDate: (seconds) =>
      uPlot.tzDate(new Date(seconds * 1000), settings.zone === 'UTC' ? 'Etc/UTC' : settings.timeZone),
    legend: { show: false },
    cursor: { points: { show: false }, y: false },
    padding: [8, 22, 0, 0],
    scales: { y: { range: (_, __, most) => [0, Math.max(most * 1.08, 1)] } },
    axes: [
      { ...axis, space: 70, size: 24, gap: 4, values: timeLabels },
      {
        ...axis,
        size: 44,
        gap: 6,
        space: 32,
        incrs: [1, 2, 5]
          .flatMap((step) => Array.from({ length: 12 }, (_, power) => step * 10 ** power))
          .sort((a, b) => a - b),
        values: (_, splits) => splits.map((value) => compact(value)),
      },
    ],
  };
}
