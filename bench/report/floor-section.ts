import type { AcceptResults, ContenderResult } from '../accept/accept.js';
import type { Kind } from '../accept/contenders.js';
import type { StoreResults } from '../store/store.js';
import type { Cpu } from '../support/processes.js';
import { median } from '../../testing/statistics.js';
import { formatNumber, table } from '../../testing/table.js';
import { requestOf } from './accept-section.js';

/** A workload of a goal, by which it is measured. */
interface Load {
  readonly connections: number;
  readonly events: number;
}

const LOADS: readonly Load[] = [
  { connections: 1, events: 1 },
  { connections: 64, events: 1 },
  { connections: 8, events: 100 },
];

/**
 * What a goal cannot go below: the CPU time of parts, each of which was measured by itself. Undefined if the parts were not measured in
 * one run.
 */
export function floorSection(
  accept: AcceptResults,
  store: StoreResults | undefined,
  cores: number,
): string | undefined {
  if (!store) return undefined;
  const rows = LOADS.map((load) => floorRow(accept, store, load, cores)).filter((row) => row !== undefined);
  if (rows.length === 0) return undefined;
  return `### What the goals cannot go below

Microseconds of CPU time per event of what The Eye has to do, each measured where nothing else is done: *reading* is the
process of Nest with validation, *appending* the Redis of one fsynced append, *storing* the PostgreSQL of \`COPY\` into the same table with
the same indexes, and *copying* the ClickHouse of The Eye. No process that passes the events on is counted. The *floor* is the rate of this
sum and the load generator on ${cores} cores that are busy all the time, and, for one connection, the sum without ClickHouse. The last columns
are the floor and The Eye by Fastify and \`pg\`; for one connection by its CPU time, for the others by the rate of events that it stores.

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
    'floor, by Fastify and `pg`',
    'The Eye, by Fastify and `pg`',
  ],
  rows,
)}
`;
}

function floorRow(
  { contenders }: AcceptResults,
  store: StoreResults,
  load: Load,
  cores: number,
): string[] | undefined {
  const find = (kind: Kind): ContenderResult | undefined =>
    contenders.find(
      (each) =>
        each.kind === kind &&
        each.connections === load.connections &&
        each.events === load.events &&
        each.perSecond === undefined &&
        !each.isNdjson,
    );
  const [nest, append, insert, eye] = (['nest', 'append', 'insert', 'eye'] as const).map(find);
  if (!nest || !append || !insert || !eye) return undefined;
  const cpu = ({ rounds }: ContenderResult, part: keyof Cpu): number =>
    median(rounds.map((r) => r.cpu[part]));
  const rate = ({ rounds }: ContenderResult): number => median(rounds.map(({ stored }) => stored ?? NaN));
  const reading = cpu(nest, 'node');
  const appending = cpu(append, 'redis');
  const storing = median(store.rounds.copy.map((round) => round.cpu.postgres));
  const copying = cpu(eye, 'clickhouse');
  const generating = cpu(eye, 'load');
  const own = reading + appending + storing;
  const figures = [reading, appending, storing, copying, generating].map(formatNumber);
  const request = [requestOf(eye), String(load.connections), ...figures];
  if (load.connections === 1) {
    const of = (one: ContenderResult): number => cpu(one, 'node') + cpu(one, 'redis') + cpu(one, 'postgres');
    return [
      ...request,
      `${formatNumber(own)} µs`,
      formatNumber(own / of(insert)),
      formatNumber(of(eye) / of(insert)),
    ];
  }
  const floor = (cores * 1e6) / (own + copying + generating);
  return [
    ...request,
    `${formatNumber(floor)} events/s`,
    formatNumber(floor / rate(insert)),
    formatNumber(rate(eye) / rate(insert)),
  ];
}
