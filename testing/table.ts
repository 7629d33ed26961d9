import { median } from './statistics.js';

/** A Markdown table. All columns but the first are right-aligned. */
export function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]): string => `| ${cells.join(' | ')} |`;
  const rule = line(head.map((_, index) => (index ? '---:' : '---')));
  return [line(head), rule, ...rows.map(line)].join('\n');
}

/** E.g. `4,537 (4,100 to 4,900)`, or an empty string if there are no values. */
export function medianAndSpread(numbers: readonly (number | undefined)[]): string {
  const known = numbers.filter((number) => number !== undefined);
  if (known.length === 0) return '';
  const middle = formatNumber(median(known));
  return known.length === 1
    ? middle
    : `${middle} (${formatNumber(Math.min(...known))} to ${formatNumber(Math.max(...known))})`;
}

/** Formats a number with three significant digits, or all digits before the decimal point. */
export function formatNumber(number: number): string {
  const digits = number < 10 ? 2 : number < 100 ? 1 : 0;
  return number.toLocaleString('en', { maximumFractionDigits: digits });
}
