import type { AcceptResults } from '../accept/accept.js';
import { KINDS } from '../accept/contenders.js';
import { barSeries, medians, ofKind, formatShort } from './bars.js';
import { COLOURS, type Plot } from './plot.js';

/** Requests of one event, by connections. */
export function singlesPlot({ contenders }: AcceptResults): Plot {
  const singles = contenders.filter(({ events, perSecond }) => events === 1 && perSecond === undefined);
  const eye = ofKind(singles, 'eye');
  const insert = ofKind(singles, 'insert');
  return {
    name: 'singles',
    height: 380,
    option: {
      title: { text: 'One event per request: events per second, by connections' },
      legend: {},
      grid: { left: 64, right: 24, top: 88, bottom: 56 },
      xAxis: {
        type: 'category',
        data: eye.map(({ connections }) => String(connections)),
        name: 'connections',
        nameLocation: 'middle',
        nameGap: 32,
      },
      yAxis: { type: 'value', axisLabel: { formatter: formatShort } },
      series: [
        barSeries(KINDS.fastify, COLOURS.limit, medians(ofKind(singles, 'fastify'), 'accepted')),
        barSeries(KINDS.nest, COLOURS.nest, medians(ofKind(singles, 'nest'), 'accepted')),
        ...(insert.length > 0
          ? [barSeries('Fastify and pg store', COLOURS.insert, medians(insert, 'stored'))]
          : []),
        barSeries('The Eye accepts', COLOURS.accepted, medians(eye, 'accepted')),
        barSeries('The Eye stores', COLOURS.stored, medians(eye, 'stored')),
      ],
    },
  };
}
