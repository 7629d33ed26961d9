import type { Accepted, AcceptResults } from '../accept/accept.js';
import { KINDS } from '../accept/contenders.js';
import type { StoreResults } from '../store/store.js';
import { median } from '../support/statistics.js';
import { requestOf } from './accept-section.js';
import { bars, middle, ofKind, short } from './bars.js';
import { COLOURS, ground, type Plot } from './plot.js';

/** The end of an axis that a line must fit below, with a tick at its end. */
const roomFor =
  (line = 0) =>
  ({ max }: { max: number }): number =>
    Math.ceil(Math.max(max, line) / 20_000) * 20_000;

/** Events by the size of a request, beside what COPY stores. */
export function requestsPlot({ contenders }: AcceptResults, store?: StoreResults): Plot {
  const isShown = ({ events, connections, kind }: Accepted): boolean =>
    kind !== 'guarded' && (events > 1 || connections === 64);
  const shown = contenders.filter(isShown);
  const eye = ofKind(shown, 'eye');
  const nest = ofKind(shown, 'nest');
  const sameAs = (one: Accepted): Accepted | undefined =>
    nest.find(({ events, isNdjson }) => events === one.events && isNdjson === one.isNdjson);
  const copy = store && Math.round(median(store.rounds.copy.map(({ stored }) => stored)));
  return {
    name: 'requests',
    height: 400,
    option: {
      title: { text: 'Many events a request: events a second, by the request' },
      legend: {},
      grid: { left: 64, right: 24, top: 88, bottom: 36 },
      xAxis: { type: 'category', data: eye.map(requestOf), axisLabel: { interval: 0 } },
      yAxis: { type: 'value', axisLabel: { formatter: short }, max: roomFor(copy) },
      series: [
        bars(
          KINDS.nest,
          COLOURS.nest,
          eye.map((one) => (sameAs(one) ? middle(sameAs(one) as Accepted, 'accepted') : null)),
        ),
        bars(
          'The Eye accepts',
          COLOURS.accepted,
          eye.map((each) => middle(each, 'accepted')),
        ),
        {
          ...bars(
            '… until all is stored',
            COLOURS.stored,
            eye.map((each) => middle(each, 'stored')),
          ),
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
