import type { AcceptResults } from '../accept/accept.js';
import type { Kind } from '../accept/contenders.js';
import { median } from '../../testing/statistics.js';
import { requestOf } from './accept-section.js';
import { COLOURS, LABEL_WIDTH, type Plot } from './plot.js';

/** Names that fit beside a plot. */
const NAMES: Record<Kind, string> = {
  fastify: 'Fastify',
  nest: 'Nest, no work',
  append: 'append to Redis',
  insert: 'Fastify and pg',
  eye: 'The Eye',
  guarded: 'The Eye, guarded',
  segment: 'The Eye, Segment',
  translated: 'The Eye, the same',
};

const PARTS = [
  ['Node', COLOURS.node, 'node'],
  ['Redis', COLOURS.redis, 'redis'],
  ['PostgreSQL', COLOURS.postgres, 'postgres'],
  ['ClickHouse', COLOURS.clickhouse, 'clickhouse'],
] as const;

/** CPU time per event, by process. */
export function cpuPlot({ contenders }: AcceptResults): Plot {
  const shown = contenders
    .filter(({ kind, connections, events }) => kind !== 'fastify' && (events > 1 || connections === 64))
    .toReversed();
  return {
    name: 'cpu',
    height: 96 + shown.length * 30,
    option: {
      title: { text: 'CPU time per event, in microseconds' },
      legend: {},
      grid: { left: LABEL_WIDTH, right: 40, top: 80, bottom: 32 },
      yAxis: {
        type: 'category',
        data: shown.map((each) => `${NAMES[each.kind]}: ${requestOf(each)}`),
        axisLabel: { interval: 0 },
      },
      xAxis: { type: 'value' },
      series: PARTS.map(([name, color, part]) => ({
        name,
        type: 'bar',
        stack: 'cpu',
        color,
        data: shown.map(({ rounds }) => Math.round(median(rounds.map(({ cpu }) => cpu[part])) * 10) / 10),
      })),
    },
  };
}
