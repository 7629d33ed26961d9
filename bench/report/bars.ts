import type { ContenderResult } from '../accept/accept.js';
import { median } from '../../testing/statistics.js';

/** The median of the rounds of each contender; null for a limit, which stores nothing. */
export const medians = (all: ContenderResult[], figure: 'accepted' | 'stored'): (number | null)[] =>
  all.map(({ rounds }) => {
    const numbers = rounds.flatMap((round) => round[figure] ?? []);
    return numbers.length === 0 ? null : Math.round(median(numbers));
  });

/** A series of vertical bars with their numbers. */
export const barSeries = (name: string, colour: string, data: (number | null)[]): object => ({
  name,
  type: 'bar',
  color: colour,
  barGap: '8%',
  data,
  label: { show: true, position: 'top', formatter: ({ value }: { value: number }) => formatShort(value) },
});

/** E.g. 9.8k. */
export const formatShort = (number: number): string =>
  number < 1000 ? String(number) : `${(number / 1000).toFixed(number < 10_000 ? 1 : 0)}k`;

export const ofKind = (all: ContenderResult[], kind: ContenderResult['kind']): ContenderResult[] =>
  all.filter((each) => each.kind === kind);
