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
  { connections: 8, events: 500 },
];

const PACED = { connections: 10, events: 1, perSecond: 100 };

/**
 * What the goals cannot go below: the CPU time of what an event needs, measured by the contenders that do only that.
 * @param store of the same run
 * @returns undefined if one of the contenders was not measured under any of the loads
 */
export function floorSection(accept: AcceptResults, store: StoreResults, cores: number): string | undefined {
  const rows = LOADS.map((load) => floorRow(accept, store, load, cores)).filter((row) => row !== undefined);
  if (rows.length === 0) return undefined;
  return `### What the goals cannot go below

Microseconds of CPU time per event of what The Eye has to do: *reading* is the process of Nest with validation (at 100 a second that of
a bare handler), *appending* the Redis of one fsynced append, *storing* the PostgreSQL of the fastest way to store an event once into the
same table with the same indexes (\`COPY\` into a temporary table, and from there what is new), and *copying* the ClickHouse of The Eye
itself. What Node does to pass an event on from one to the next is not counted. The *floor* is the rate of events for which ${cores} cores
that never idle suffice, with the load generator; for one connection it is the CPU time without ClickHouse, at 100 a second all of it.

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
    'beside',
  ],
  [...rows, workerRow(accept, store, cores), pacedRow(accept, store)].filter((row) => row !== undefined),
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
  const [nest, append, eye, insert] = [find('nest'), find('append'), find('eye'), find('insert')];
  if (!nest || !append || !eye) return undefined;
  const reading = of(nest, ({ cpu }) => cpu.node);
  const appending = of(append, ({ cpu }) => cpu.redis);
  const storing = postgresOf(store);
  const copying = of(eye, ({ cpu }) => cpu.clickhouse);
  const generating = of(eye, ({ cpu }) => cpu.load);
  const cpu = reading + appending + storing;
  const rate = (cores * 1e6) / (cpu + copying + generating);
  const parts = [reading, appending, storing, copying, generating].map(formatNumber);
  const row = (floor: string, ratio: string): string[] => [
    requestOf(eye),
    String(load.connections),
    ...parts,
    floor,
    ratio,
  ];
  if (!insert) return row(perSecond(rate), besideCopy(rate, store));
  const isAlone = load.connections === 1;
  const ratio = isAlone
    ? cpu / of(insert, cpuWithoutClickHouse)
    : rate / of(insert, ({ stored }) => stored ?? NaN);
  return row(
    isAlone ? `${formatNumber(cpu)} µs` : perSecond(rate),
    `${formatNumber(ratio)} of Fastify and \`pg\``,
  );
}

/** A worker with a full queue: nothing is read or appended. */
function workerRow(accept: AcceptResults, store: StoreResults, cores: number): string[] | undefined {
  const eye = findContender(accept, { kind: 'eye', connections: 8, events: 500 });
  if (!eye) return undefined;
  const [storing, copying] = [postgresOf(store), of(eye, ({ cpu }) => cpu.clickhouse)];
  const rate = (cores * 1e6) / (storing + copying);
  return [
    'a full queue',
    '',
    '',
    '',
    ...[storing, copying].map(formatNumber),
    '',
    perSecond(rate),
    besideCopy(rate, store),
  ];
}

function pacedRow(accept: AcceptResults, store: StoreResults): string[] | undefined {
  const find = (kind: Kind): ContenderResult | undefined => findContender(accept, { kind, ...PACED });
  const [append, insert, eye] = [find('append'), find('insert'), find('eye')];
  if (!append || !insert || !eye) return undefined;
  const parts = [
    of(append, ({ cpu }) => cpu.node),
    of(append, ({ cpu }) => cpu.redis),
    postgresOf(store),
    of(eye, ({ cpu }) => cpu.clickhouse),
  ];
  const cpu = parts.reduce((sum, part) => sum + part, 0);
  const ratio = cpu / of(insert, ({ cpu }) => cpu.node + cpu.postgres);
  return [
    requestOf(eye),
    String(PACED.connections),
    ...parts.map(formatNumber),
    '',
    `${formatNumber(cpu)} µs`,
    `${formatNumber(ratio)} of Fastify and \`pg\``,
  ];
}

const of = ({ rounds }: ContenderResult, figure: (round: RoundResult) => number): number =>
  median(rounds.map(figure));

const postgresOf = ({ rounds }: StoreResults): number =>
  median((rounds.once ?? rounds.copy).map(({ cpu }) => cpu.postgres));

const perSecond = (rate: number): string => `${formatNumber(rate)} events/s`;

const besideCopy = (rate: number, { rounds }: StoreResults): string =>
  `${formatNumber(rate / median(rounds.copy.map(({ stored }) => stored)))} of \`COPY\``;
