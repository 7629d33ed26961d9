import type { AcceptResults } from '../accept/accept.js';
import { KINDS } from '../accept/contenders.js';
import type { StoreResults } from '../store/store.js';
import { median } from '../../testing/statistics.js';
import { requestOf } from './accept-section.js';
import { barSeries, medians, ofKind, formatShort } from './bars.js';
import { COLOURS, themeColour, type Plot } from './plot.js';

/** The end of an axis above a line, rounded up to a tick. */
const axisMaxFor =
  (line = 0) =>
  ({ max }: { max: number }): number =>
    Math.ceil(Math.max(max, line) / 20_000) * 20_000;

/** Events per second by the size of a request, and the rate of COPY. */
export function requestsPlot({ contenders }: AcceptResults, store?: StoreResults): Plot {
  const shown = contenders.filter(({ events, connections }) => events > 1 || connections === 64);
  // Both have the same requests, in the same order.
  const [nest, eye] = [ofKind(shown, 'nest'), ofKind(shown, 'eye')];
  const copy = store && Math.round(median(store.rounds.copy.map(({ stored }) => stored)));
  return {
    name: 'requests',
    height: 400,
    option: {
      title: { text: 'Many events per request: events per second, by request' },
      legend: {},
      grid: { left: 64, right: 24, top: 88, bottom: 36 },
      xAxis: { type: 'category', data: eye.map(requestOf), axisLabel: { interval: 0 } },
      yAxis: { type: 'value', axisLabel: { formatter: formatShort }, max: axisMaxFor(copy) },
      series: [
        barSeries(KINDS.nest, COLOURS.nest, medians(nest, 'accepted')),
        barSeries('The Eye accepts', COLOURS.accepted, medians(eye, 'accepted')),
        {
          ...barSeries('The Eye stores', COLOURS.stored, medians(eye, 'stored')),
          ...(copy !== undefined && {
            markLine: {
              symbol: 'none',
              lineStyle: { color: themeColour('text'), type: 'dashed' },
              label: {
                formatter: `COPY stores ${formatShort(copy)}`,
                position: 'insideStartTop',
                color: themeColour('text'),
                fontSize: 13,
              },
              data: [{ yAxis: copy }],
            },
          }),
        },
      ],
    },
  };
}
