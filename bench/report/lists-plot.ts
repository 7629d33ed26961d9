import type { ListResults } from '../lists/lists.js';
import { sizeOf } from './lists-section.js';
import { COLOURS, themeColour, LABEL_WIDTH, type Plot } from './plot.js';

const SHADES = [COLOURS.small, COLOURS.medium];

/** The median of each list at each size. */
export function listsPlot({ sizes, lists }: ListResults): Plot {
  const shown = lists.toReversed();
  return {
    name: 'lists',
    height: 110 + lists.length * (14 * sizes.length + 10),
    option: {
      title: { text: 'Milliseconds per list (p50), by the size of the table' },
      legend: {},
      grid: { left: LABEL_WIDTH, right: 56, top: 80, bottom: 32 },
      yAxis: { type: 'category', data: shown.map(({ name }) => name), axisLabel: { interval: 0 } },
      xAxis: { type: 'value' },
      series: sizes.map((size, index) => ({
        name: `${sizeOf(size)} events`,
        type: 'bar' as const,
        color: SHADES[index],
        data: shown.map(({ latencies }) => Number((latencies[index]?.p50 ?? 0).toPrecision(2))),
        label: { show: true, position: 'right' as const, color: themeColour('text') },
      })),
    },
  };
}
