import type { AskResults } from '../ask/ask.js';
import { sizeOf } from './ask-section.js';
import { COLOURS, themeColour, LABEL_WIDTH, type Plot } from './plot.js';

const SHADES = [COLOURS.small, COLOURS.medium, COLOURS.large];

/** The median of each query at each size. */
export function askPlot({ sizes, questions }: AskResults): Plot {
  const shown = questions.toReversed();
  return {
    name: 'ask',
    height: 110 + questions.length * (14 * sizes.length + 10),
    option: {
      title: { text: 'Milliseconds per query (p50), by the size of the table' },
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
