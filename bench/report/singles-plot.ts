import type { Accepted, AcceptResults } from '../accept/accept.js';
import { KINDS } from '../accept/contenders.js';
import { bars, middle, ofKind, short } from './bars.js';
import { COLOURS, type Plot } from './plot.js';

/** Single posts by connections. */
export function singlesPlot({ contenders }: AcceptResults): Plot {
  const singles = contenders.filter(({ events }) => events === 1);
  const eye = ofKind(singles, 'eye');
  const of = (kind: Accepted['kind']): (number | null)[] =>
    ofKind(singles, kind).map((each) => middle(each, 'accepted'));
  return {
    name: 'singles',
    height: 380,
    option: {
      title: { text: 'One event a request: events a second, by connections' },
      legend: {},
      grid: { left: 64, right: 24, top: 88, bottom: 56 },
      xAxis: {
        type: 'category',
        data: eye.map(({ connections }) => String(connections)),
        name: 'connections',
        nameLocation: 'middle',
        nameGap: 32,
      },
      yAxis: { type: 'value', axisLabel: { formatter: short } },
      series: [
        bars(KINDS.fastify, COLOURS.limit, of('fastify')),
        bars(KINDS.nest, COLOURS.nest, of('nest')),
        bars('The Eye accepts', COLOURS.accepted, of('eye')),
        bars(
          '… until all is stored',
          COLOURS.stored,
          eye.map((each) => middle(each, 'stored')),
        ),
      ],
    },
  };
}
