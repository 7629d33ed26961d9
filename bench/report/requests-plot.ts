import type { AcceptResults } from '../accept/accept.js';
import { KINDS } from '../accept/contenders.js';
import type { StoreResults } from '../store/store.js';
import { median } from '../../testing/statistics.js';
import { requestOf } from './accept-section.js';
import { bars, medians, ofKind, short } from './bars.js';
import { COLOURS, ground, type Plot } from './plot.js';

/** The end of an axis above a line, rounded up to a tick. */
const roomFor =
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
      yAxis: { type: 'value', axisLabel: { formatter: short }, max: roomFor(copy) },
      series: [
        bars(KINDS.nest, COLOURS.nest, medians(nest, 'accepted')),
        bars('The Eye accepts', COLOURS.accepted, medians(eye, 'accepted')),
        {
          ...bars('The Eye stores', COLOURS.stored, medians(eye, 'stored')),
          ...(copy !== undefined && {
            markLine: {
              symbol: 'none',
              lineStyle: { color: ground('text'), type: 'dashed' },
              label: {
                formatter: `COPY stores ${short(copy)}`,
                position: 'insideStartTop',
                color: ground('text'),
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
