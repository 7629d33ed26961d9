/** Integers with fewer digits have 64 bits. */
const LONG_NUMBER = /\d{19}/;

/** Strings, which are left as they are, and numbers. */
const TOKEN = /"(?:[^"\\]|\\[^])*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/**
 * Gives `typed` to the events whose payload has a number that ClickHouse refuses: an integer of more than 64 bits, or beyond
 * the range of a double.
 * @param lines JSON objects, each with its payload as the text `data_text`
 */
export function withTypedForms(lines: string): string {
  if (!LONG_NUMBER.test(lines)) return lines;
  return lines
    .split('\n')
    .map((line) => (LONG_NUMBER.test(line) ? withTypedForm(line) : line))
    .join('\n');
}

function withTypedForm(line: string): string {
  const { data_text } = JSON.parse(line) as { data_text: string };
  const typed = withBoundedNumbers(data_text);
  return typed === data_text ? line : `${line.slice(0, -1)},"typed":${JSON.stringify(typed)}}`;
}

/** The nearest double in the place of such numbers. */
export function withBoundedNumbers(json: string): string {
  return json.replace(TOKEN, (token) => {
    if (token.startsWith('"') || token.length < 19) return token;
    if (/^-?\d+$/.test(token)) {
      const integer = BigInt(token);
      if (integer >= -(2n ** 63n) && integer < 2n ** 64n) return token;
    }
    const number = Number(token);
    if (Number.isFinite(number)) return number.toExponential();
    return String(Math.sign(number) * Number.MAX_VALUE);
  });
}
