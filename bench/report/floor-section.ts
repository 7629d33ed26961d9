import type { AcceptResults, ContenderResult, RoundResult } from '../accept/accept.js';
import type { Kind } from '../accept/contenders.js';
import type { StoreResults } from '../store/store.js';
import { median } from '../../testing/statistics.js';
import { formatNumber, table } from '../../testing/table.js';
import { requestOf } from './accept-section.js';
import { cpuWithoutClickHouse, findContender } from './contender.js';

/** The loads of the goals for which there is a floor. */
const LOADS = [
  { connections: 1, events: 1 },
  { connections: 64, events: 1 },
  { connections: 8, events: 100 },
];

/**
 * What the goals cannot go below: the CPU time of what an event needs, measured by the contenders that do only that.
 * @param store of the same run
 * @returns undefined if one of the contenders was not measured under any of the loads
 */
export function floorSection(accept: AcceptResults, store: StoreResults, cores: number): string | undefined {
  const rows = LOADS.map((load) => floorRow(accept, store, load, cores)).filter((row) => row !== undefined);
  if (rows.length === 0) return undefined;
  return `### What the goals cannot go below

Microseconds of CPU time per event of what The Eye has to do: *reading* is the process of Nest with validation, *appending* the Redis of one
fsynced append, *storing* the PostgreSQL of \`COPY\` into the same table with the same indexes, and *copying* the ClickHouse of The Eye
itself. What Node does to pass an event on from one to the next is not counted. The *floor* is the rate of events for which ${cores} cores
that never idle suffice, with the load generator; for one connection it is the CPU time without ClickHouse.

${table(
  [
    'request',
    'connections',
    'reading',
    'appending',
    'storing',
    'copying',
    'load generator',
    'floor',
    'floor / that of Fastify and `pg`',
  ],
  rows,
)}
`;
}

function floorRow(
  accept: AcceptResults,
  store: StoreResults,
  load: (typeof LOADS)[number],
  cores: number,
): string[] | undefined {
  const find = (kind: Kind): ContenderResult | undefined => findContender(accept, { kind, ...load });
  const [nest, append, insert, eye] = [find('nest'), find('append'), find('insert'), find('eye')];
  if (!nest || !append || !insert || !eye) return undefined;
  const of = ({ rounds }: ContenderResult, figure: (round: RoundResult) => number): number =>
    median(rounds.map(figure));
  const reading = of(nest, ({ cpu }) => cpu.node);
  const appending = of(append, ({ cpu }) => cpu.redis);
  const storing = median(store.rounds.copy.map(({ cpu }) => cpu.postgres));
  const copying = of(eye, ({ cpu }) => cpu.clickhouse);
  const generating = of(eye, ({ cpu }) => cpu.load);
  const cpu = reading + appending + storing;
  const rate = (cores * 1e6) / (cpu + copying + generating);
  const [floor, ratio] =
    load.connections === 1
      ? [`${formatNumber(cpu)} µs`, cpu / of(insert, cpuWithoutClickHouse)]
      : [`${formatNumber(rate)} events/s`, rate / of(insert, ({ stored }) => stored ?? NaN)];
  const parts = [reading, appending, storing, copying, generating].map(formatNumber);
  return [requestOf(eye), String(load.connections), ...parts, floor, formatNumber(ratio)];
}
