import { type Accepted, type AcceptResults, type Figures } from '../accept/accept.js';
import { KINDS } from '../accept/contenders.js';
import type { StoreResults } from '../store/store.js';
import { median } from '../support/statistics.js';
import { COLOURS, ground, type Plot } from './plot.js';
import { requestOf } from './accept-section.js';

const middle = ({ rounds }: Accepted, figure: 'accepted' | 'stored'): number | null => {
  const numbers = rounds.flatMap((round) => round[figure] ?? []);
  return numbers.length === 0 ? null : Math.round(median(numbers));
};

const bars = (name: string, colour: string, data: (number | null)[]): object => ({
  name,
  type: 'bar',
  color: colour,
  barGap: '8%',
  data,
  label: { show: true, position: 'top', formatter: ({ value }: { value: number }) => short(value) },
});

/** E.g. 9.8k. */
const short = (number: number): string =>
  number < 1000 ? String(number) : `${(number / 1000).toFixed(number < 10_000 ? 1 : 0)}k`;

const ofKind = (all: Accepted[], kind: Accepted['kind']): Accepted[] =>
  all.filter((each) => each.kind === kind);

/** Single posts by connections. */
function singlesPlot({ contenders }: AcceptResults): Plot {
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

/** Events by the size of a request, beside what COPY stores. */
function sizesPlot({ contenders }: AcceptResults, store?: StoreResults): Plot {
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
      yAxis: { type: 'value', axisLabel: { formatter: short } },
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

/** CPU time of an event, by who takes it. */
function cpuPlot({ contenders }: AcceptResults): Plot {
  const shown = contenders
    .filter(({ kind, connections, events }) => kind !== 'fastify' && (events > 1 || connections === 64))
    .toReversed();
  const parts: [string, string, keyof Figures['cpu']][] = [
    ['Node', COLOURS.node, 'node'],
    ['Redis', COLOURS.redis, 'redis'],
    ['PostgreSQL', COLOURS.postgres, 'postgres'],
  ];
  return {
    name: 'cpu',
    height: 96 + shown.length * 30,
    option: {
      title: { text: 'CPU time of an event, in microseconds' },
      legend: {},
      grid: { left: 8, right: 40, top: 80, bottom: 12, containLabel: true },
      yAxis: {
        type: 'category',
        data: shown.map(
          (each) =>
            `${each.kind === 'nest' ? 'Nest, no work' : each.kind === 'guarded' ? 'The Eye, guarded' : 'The Eye'}: ${requestOf(each)}`,
        ),
        axisLabel: { interval: 0 },
      },
      xAxis: { type: 'value' },
      series: parts.map(([name, color, part]) => ({
        name,
        type: 'bar',
        stack: 'cpu',
        color,
        data: shown.map(({ rounds }) => Math.round(median(rounds.map(({ cpu }) => cpu[part])) * 10) / 10),
      })),
    },
  };
}

export const acceptPlots = (accept: AcceptResults, store?: StoreResults): Plot[] => [
  singlesPlot(accept),
  sizesPlot(accept, store),
  cpuPlot(accept),
];
