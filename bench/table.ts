/** Prints rows of Markdown; all columns but the first are numbers. */
export function printTable(head: string[], rows: string[][]): void {
  const line = (cells: string[]): string => `| ${cells.join(' | ')} |`;
  console.log(
    [line(head), line(head.map((_, index) => (index ? '---:' : '---'))), ...rows.map(line)].join('\n'),
  );
}

/** E.g. `4,537 (4,100 to 4,900)`; nothing where there is no number. */
export function medianAndSpread(numbers: readonly number[]): string {
  if (numbers.length === 0) return '';
  const middle = spell(percentile(numbers, 0.5));
  return numbers.length === 1
    ? middle
    : `${middle} (${spell(Math.min(...numbers))} to ${spell(Math.max(...numbers))})`;
}

/** @param share 0.5 for the median; of an even number, the lower of the two in the middle */
export function percentile(numbers: readonly number[], share: number): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * share) - 1] ?? NaN;
}

const spell = (number: number): string =>
  number.toLocaleString('en', { maximumFractionDigits: number < 100 ? 1 : 0 });
