import type { AskResults } from '../ask/ask.js';
import { spell, table } from './table.js';

export function askSection(
  { requests, sizes, questions }: AskResults,
  plot: (name: string) => string,
): string {
  return `## Asking

Milliseconds of a page of ten (unless said otherwise), p50 / p99 of ${requests} requests a question, one after the other over HTTP, each with
other values; every page that was measured has rows. The last column is the p50 at the largest table by that at the smallest.

${plot('ask')}

${table(
  ['page', ...sizes.map((size) => `${sizeOf(size)} events`), 'largest : smallest'],
  questions.map(({ name, latencies }) => [
    name,
    ...latencies.map(({ p50, p99 }) => `${spell(p50)} / ${spell(p99)}`),
    spell((latencies.at(-1)?.p50 ?? NaN) / (latencies[0]?.p50 ?? NaN)),
  ]),
)}
`;
}

/** E.g. 100 thousand. */
export const sizeOf = (events: number): string =>
  events < 1_000_000 ? `${events / 1000} thousand` : `${events / 1_000_000} million`;
