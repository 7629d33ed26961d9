import { percentile } from '../../testing/statistics.js';

/** A percentile over time, by thirds. The first third is warm-up. Comparing the last with the middle one shows growth. */
export interface Trend {
  first: number;
  middle: number;
  last: number;
}

/** @param share 0.5 for the median of each third */
export function trendOf(samples: readonly number[], share = 0.5): Trend {
  const third = (index: number): number => Math.floor((samples.length * index) / 3);
  const [first = NaN, middle = NaN, last = NaN] = [0, 1, 2].map((index) =>
    percentile(samples.slice(third(index), third(index + 1)), share),
  );
  return { first, middle, last };
}

/** By how much the last third may exceed the middle one: a share of it, plus a constant. */
export interface Slack {
  share: number;
  plus: number;
}

/** Also true without samples. */
export function grows({ middle, last }: Trend, { share, plus }: Slack): boolean {
  return !(last <= middle * (1 + share) + plus);
}
