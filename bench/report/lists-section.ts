import type { ListResults } from '../lists/lists.js';
import type { Latency } from '../../testing/statistics.js';
import { formatNumber, table } from '../../testing/table.js';

export function listsSection(
  { requests, sizes, lists }: ListResults,
  plot: (name: string) => string,
): string {
  return `## Lists from PostgreSQL

Milliseconds for a page of ten (unless stated otherwise), p50 / p99 of ${requests} requests per list, one after the other over HTTP, each
with other values. Every measured page has rows. The last column is the time at the largest table divided by the time at the smallest.
The query plans at the largest table are in [plans.txt](benchmarks/plans.txt).

${plot('lists')}

${table(
  ['list', ...sizes.map((size) => `${sizeOf(size)} events`), 'largest / smallest'],
  lists.map(({ name, latencies }) => [
    name,
    ...latencies.map(({ p50, p99 }) => `${formatNumber(p50)} / ${formatNumber(p99)}`),
    `${formatNumber(growth(latencies, 'p50'))} / ${formatNumber(growth(latencies, 'p99'))}`,
  ]),
)}
`;
}

/** The time at the largest size divided by the time at the smallest. */
export const growth = (latencies: Latency[], share: 'p50' | 'p99'): number =>
  (latencies.at(-1)?.[share] ?? NaN) / (latencies[0]?.[share] ?? NaN);

/** E.g. 100 thousand. */
export const sizeOf = (events: number): string =>
  events < 1_000_000 ? `${events / 1000} thousand` : `${events / 1_000_000} million`;
