import type { SqlParameters } from '../../platform/filters/filter-sql.js';

/**
 * The index of the bucket of a time in microseconds since 1970, as an expression of SQL over an expression.
 * @param buckets when each begins, in milliseconds since 1970, ascending
 */
export function bucketSql(buckets: readonly number[], parameters: SqlParameters): (time: string) => string {
  const [first = 0, second] = buckets;
  if (second === undefined) return () => 'toUInt32(0)';
  const length = second - first;
  if (buckets.every((bucket, index) => bucket === first + index * length)) {
    const start = parameters.add(String(BigInt(first) * 1000n), 'Int64');
    const size = parameters.add(length * 1000, 'Int64');
    return (time) => `toUInt32(intDiv(${time} - ${start}, ${size}))`;
  }
  const starts = parameters.add(
    buckets.map((bucket) => BigInt(bucket) * 1000n),
    'Array(Int64)',
  );
  return (time) =>
    `toUInt32(transform(roundDown(${time}, ${starts}), ${starts}, range(${buckets.length}), 0))`;
}
