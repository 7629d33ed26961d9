import type { SizeResult } from '../ask/ask.js';
import { plotOf } from './ask-section.js';
import { sizeOf } from './lists-section.js';
import { COLOURS, LABEL_WIDTH, type Plot, themeColour } from './plot.js';

/** The median of each question, beside its aim and the same question by hand. */
export function askPlot(size: SizeResult): Plot {
  const shown = size.questions.toReversed();
  const series = (name: string, colour: string, data: (number | undefined)[]): object => ({
    name,
    type: 'bar',
    color: colour,
    data: data.map((number) => (number === undefined ? null : Number(number.toPrecision(2)))),
    label: { show: true, position: 'right', color: themeColour('text') },
  });
  return {
    name: plotOf(size),
    height: 110 + shown.length * 52,
    option: {
      title: { text: `Milliseconds per question (p50), ${sizeOf(size.events)} events` },
      legend: {},
      grid: { left: LABEL_WIDTH + 60, right: 56, top: 80, bottom: 32 },
      yAxis: { type: 'category', data: shown.map(({ name }) => name), axisLabel: { interval: 0 } },
      xAxis: { type: 'value' },
      series: [
        series(
          'aim',
          COLOURS.limit,
          shown.map(({ aim }) => aim),
        ),
        series(
          'by hand',
          COLOURS.nest,
          shown.map(({ byHand }) => byHand.latency.p50),
        ),
        series(
          'The Eye',
          COLOURS.stored,
          shown.map(({ eye }) => eye.latency.p50),
        ),
      ],
    },
  };
}
