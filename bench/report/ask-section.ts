import type { AskResults } from '../ask/ask.js';
import type { Latency } from '../support/statistics.js';
import { spell, table } from './table.js';

export function askSection(
  { requests, sizes, questions }: AskResults,
  plot: (name: string) => string,
): string {
  return `## Asking

Milliseconds of a page of ten (unless said otherwise), p50 / p99 of ${requests} requests a question, one after the other over HTTP, each with
other values; every page that was measured has rows. The last column is what it takes at the largest table by what it takes at the smallest.

${plot('ask')}

${table(
  ['page', ...sizes.map((size) => `${sizeOf(size)} events`), 'largest : smallest'],
  questions.map(({ name, latencies }) => [
    name,
    ...latencies.map(({ p50, p99 }) => `${spell(p50)} / ${spell(p99)}`),
    `${spell(growth(latencies, 'p50'))} / ${spell(growth(latencies, 'p99'))}`,
  ]),
)}
`;
}

/** How much longer an answer takes at the largest size than at the smallest. */
export const growth = (latencies: Latency[], share: 'p50' | 'p99'): number =>
  (latencies.at(-1)?.[share] ?? NaN) / (latencies[0]?.[share] ?? NaN);

/** E.g. 100 thousand. */
export const sizeOf = (events: number): string =>
  events < 1_000_000 ? `${events / 1000} thousand` : `${events / 1_000_000} million`;
