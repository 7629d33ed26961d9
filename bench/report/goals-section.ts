import type { ContenderResult, AcceptResults } from '../accept/accept.js';
import type { Kind } from '../accept/contenders.js';
import type { ListResults } from '../lists/lists.js';
import type { MemoryResults } from '../memory/memory.js';
import { median } from '../../testing/statistics.js';
import { growth } from './lists-section.js';
import type { Results } from './results.js';
import { formatNumber, table } from '../../testing/table.js';

/** The goals and the results. Undefined if none of them was measured. */
export function goalsSection({ accept, store, lists, memory }: Results): string | undefined {
  const rows = [
    ...(accept ? singleEventRows(accept) : []),
    ...(accept && store ? [arrayRow(accept, median(store.rounds.copy.map(({ stored }) => stored)))] : []),
    ...(lists ? listRows(lists) : []),
    ...(memory ? [memoryRow(memory)] : []),
  ];
  if (rows.length === 0) return undefined;
  return `## Goals

${table(['measurement', 'goal', 'result'], rows)}
`;
}

/** The median of the contender with these connections and events per request. */
function medianRate(
  { contenders }: AcceptResults,
  kind: Kind,
  [connections, events]: [number, number],
  key: 'accepted' | 'stored',
): number {
  const isWanted = (each: ContenderResult): boolean =>
    each.kind === kind && each.connections === connections && each.events === events && !each.isNdjson;
  const rounds = contenders.find(isWanted)?.rounds ?? [];
  return median(rounds.map((round) => round[key] ?? NaN));
}

function singleEventRows(accept: AcceptResults): string[][] {
  const stored = medianRate(accept, 'eye', [64, 1], 'stored');
  const share = (kind: Kind): string => formatNumber(stored / medianRate(accept, kind, [64, 1], 'accepted'));
  return [
    [
      'one event per request, 64 connections: stored rate / rate of bare Fastify',
      'at least 0.3',
      share('fastify'),
    ],
    ['the same / rate of Nest with validation', 'at least 0.7', share('nest')],
  ];
}

function arrayRow(accept: AcceptResults, copied: number): string[] {
  const stored = medianRate(accept, 'eye', [8, 500], 'stored');
  return ['arrays of 500: stored rate / rate of `COPY`', 'at least 0.35', formatNumber(stored / copied)];
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
    'at most 300 MiB',
    `${formatNumber(peak / 2 ** 20)} MiB`,
  ];
}
