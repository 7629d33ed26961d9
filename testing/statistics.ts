/** @param share 0.5 for the median; of an even number of values, the lower of the middle two */
export function percentile(numbers: readonly number[] | Float64Array, share: number): number {
  const sorted = Float64Array.from(numbers).sort();
  return sorted[Math.ceil(sorted.length * share) - 1] ?? NaN;
}

export const median = (numbers: readonly number[]): number => percentile(numbers, 0.5);

/** Percentiles of response times, in milliseconds. */
export interface Latency {
  p50: number;
  p99: number;
  p999: number;
}

export function latency(milliseconds: readonly number[]): Latency {
  const at = (share: number): number => percentile(milliseconds, share);
  return { p50: at(0.5), p99: at(0.99), p999: at(0.999) };
}
