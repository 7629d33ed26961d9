import type { AcceptResults, RoundResult } from '../accept/accept.js';
import type { ListResults } from '../lists/lists.js';
import type { MemoryResults } from '../memory/memory.js';
import { median } from '../../testing/statistics.js';
import type { StoreResults } from '../store/store.js';
import { type Cpu, MEASURED } from '../support/processes.js';
import { cpuWithoutClickHouse, findContender, type Selected } from './contender.js';
import { floorSection } from './floor-section.js';
import { growth } from './lists-section.js';
import { isSameRun, type Results } from './results.js';
import { formatNumber, medianAndSpread, table } from '../../testing/table.js';

/** The goals and the results. Undefined if none of them was measured. */
export function goalsSection({ accept, store, lists, memory, machines }: Results): string | undefined {
  // Rates of two runs say nothing of each other.
  const isOneRun = isSameRun(machines.accept, machines.store);
  const rows = [
    ...(accept ? acceptRows(accept) : []),
    ...(store ? copyRows(isOneRun ? accept : undefined, store) : []),
    ...(lists ? listRows(lists) : []),
    ...(memory ? [memoryRow(memory)] : []),
  ].filter((row) => row !== undefined);
  if (rows.length === 0) return undefined;
  const cores = machines.accept?.cores;
  const floor = accept && store && isOneRun && cores ? floorSection(accept, store, cores) : undefined;
  return `## Goals

${table(['measurement', 'goal', 'result'], rows)}

${floor ?? ''}`;
}

type Figure = (round: RoundResult) => number;

const accepted: Figure = (round) => round.accepted;
const stored: Figure = (round) => round.stored ?? NaN;
const p50: Figure = (round) => round.p50;
const cpuOfAll: Figure = ({ cpu }) => sumOf(cpu);

const sumOf = (cpu: Cpu): number => MEASURED.reduce((sum, part) => sum + cpu[part], 0);

/**
 * The row of a ratio: of the figure of one contender by that of another, in each round, since a round runs both in the same
 * minutes. Undefined if one of them was not measured.
 */
function ratioRow(
  accept: AcceptResults,
  [what, goal]: [what: string, goal: string],
  [figure, of]: [Figure, Selected],
  [otherFigure, by]: [Figure, Selected],
): string[] | undefined {
  const rounds = findContender(accept, of)?.rounds;
  const others = findContender(accept, by)?.rounds;
  if (!rounds || !others) return undefined;
  const ratios = rounds.map((round, index) => figure(round) / otherFigure(others[index] as RoundResult));
  return [what, goal, medianAndSpread(ratios)];
}

const TRICKLE = { connections: 10, perSecond: 100 };

function acceptRows(accept: AcceptResults): (string[] | undefined)[] {
  const row = ratioRow.bind(undefined, accept);
  const eye = (connections: number, events = 1): Selected => ({ kind: 'eye', connections, events });
  const insert = (connections: number, events = 1): Selected => ({ kind: 'insert', connections, events });
  return [
    row(
      ['one connection: p50 / that of one fsynced append from bare Fastify', 'at most 1.5'],
      [p50, eye(1)],
      [p50, { kind: 'append', connections: 1 }],
    ),
    row(
      [
        'one connection: CPU time per event of Node, Redis and PostgreSQL / that of Fastify and `pg`',
        'at most 1.1',
      ],
      [cpuWithoutClickHouse, eye(1)],
      [cpuWithoutClickHouse, insert(1)],
    ),
    row(
      ['16 connections: stored rate / that of Fastify and `pg`', 'at least 1.3'],
      [stored, eye(16)],
      [stored, insert(16)],
    ),
    row(
      ['64 connections: stored rate / that of Fastify and `pg`', 'at least 2'],
      [stored, eye(64)],
      [stored, insert(64)],
    ),
    row(
      ['64 connections: stored rate / rate of bare Fastify', 'at least 0.3'],
      [stored, eye(64)],
      [accepted, { kind: 'fastify', connections: 64 }],
    ),
    row(
      ['64 connections: stored rate / rate of Nest with validation', 'at least 0.7'],
      [stored, eye(64)],
      [accepted, { kind: 'nest', connections: 64 }],
    ),
    row(['256 connections: stored rate / that with 64', 'at least 1'], [stored, eye(256)], [stored, eye(64)]),
    row(
      ['64 connections: stored rate with key, schema and rate limit / without', 'at least 0.9'],
      [stored, { kind: 'guarded', connections: 64 }],
      [stored, eye(64)],
    ),
    row(
      ['arrays of 100: stored rate / that of Fastify and `pg`', 'at least 1.5'],
      [stored, eye(8, 100)],
      [stored, insert(8, 100)],
    ),
    row(
      [
        'Segment’s batches of 100: CPU time per event / that of the same events as `POST /events/`',
        'at most 1.3',
      ],
      [cpuOfAll, { kind: 'segment', connections: 8, events: 100 }],
      [cpuOfAll, { kind: 'translated', connections: 8, events: 100 }],
    ),
    row(
      [
        '100 events a second from ten connections: CPU time per event of all processes / that of Fastify and `pg`',
        'at most 1',
      ],
      [cpuOfAll, { kind: 'eye', ...TRICKLE }],
      [cpuOfAll, { kind: 'insert', ...TRICKLE }],
    ),
    [
      'idle: CPU time of all processes, in thousandths of a core',
      'at most 3',
      medianAndSpread(accept.idle.rounds.map(sumOf)),
    ],
  ];
}

/** The rows that compare with `COPY`, which another part measures. */
function copyRows(accept: AcceptResults | undefined, { rounds }: StoreResults): (string[] | undefined)[] {
  const copied = median(rounds.copy.map((round) => round.stored));
  const share = (rate: number): string => formatNumber(rate / copied);
  const large = accept && findContender(accept, { kind: 'eye', connections: 8, events: 500 })?.rounds;
  return [
    large && [
      'arrays of 500: stored rate / rate of `COPY`',
      'at least 0.7',
      share(median(large.map((round) => round.stored ?? NaN))),
    ],
    [
      'a worker with a full queue of arrays of 500: stored rate / rate of `COPY`',
      'at least 0.7',
      share(median(rounds.arrays.map((round) => round.stored))),
    ],
  ];
}

function listRows({ lists, sizes }: ListResults): string[][] {
  const pages = lists.filter(({ kind }) => kind === 'page');
  const p99 = Math.max(...pages.map(({ latencies }) => latencies.at(-1)?.p99 ?? NaN));
  const size = (sizes.at(-1) ?? 0).toLocaleString('en');
  return [
    [
      `p99 of the slowest page of ten from PostgreSQL, ${size} events`,
      'at most 25 ms',
      `${formatNumber(p99)} ms`,
    ],
    [
      'p50 of the page of ten that grows most: largest table / smallest table',
      'at most 2',
      formatNumber(Math.max(...pages.map(({ latencies }) => growth(latencies, 'p50')))),
    ],
  ];
}

function memoryRow({ peak, events }: MemoryResults): string[] {
  const size = events.toLocaleString('en');
  return [
    `memory of API and worker together, ${size} events waiting`,
    'at most 150 MiB',
    `${formatNumber(peak / 2 ** 20)} MiB`,
  ];
}
