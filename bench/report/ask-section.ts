import type { AskResults } from '../ask/ask.js';
import type { Latency } from '../../testing/statistics.js';
import { formatNumber, table } from '../../testing/table.js';

export function askSection(
  { requests, sizes, questions }: AskResults,
  plot: (name: string) => string,
): string {
  return `## Queries

Milliseconds for a page of ten (unless stated otherwise), p50 / p99 of ${requests} requests per query, one after the other over HTTP, each
with other values. Every measured page has rows. The last column is the time at the largest table divided by the time at the smallest.

${plot('ask')}

${table(
  ['query', ...sizes.map((size) => `${sizeOf(size)} events`), 'largest / smallest'],
  questions.map(({ name, latencies }) => [
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
