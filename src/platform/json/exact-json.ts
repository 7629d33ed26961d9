/** A value that JSON.parse would change, or nesting that is too deep, in one element of the text. */
export interface Inexactness {
  /** Path from the root of the element, e.g. `['data', 'form', 0]`. */
  readonly path: readonly (string | number)[];
  readonly code: 'not_exact' | 'too_deep';
  readonly reason: string;
}

interface Container {
  /** Keys found so far; undefined in an array. */
  readonly keys: Set<string> | undefined;
  /** Current key or index. */
  step: string | number;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/**
 * Finds values that JSON.parse changes silently: numbers that a double cannot represent, and duplicate keys, of which
 * JSON.parse drops the first value. Also finds nesting deeper than `depth`. The scan makes one pass without recursion.
 * Its time is linear in the text, even with a million levels.
 *
 * @param text JSON that JSON.parse has accepted; the scan does not check the syntax
 * @param perElement true if `text` is an array whose elements are scanned as separate values
 * @returns the first finding of each element, by the index of the element (0 unless `perElement`)
 */
export function findInexactness(text: string, depth: number, perElement: boolean): Map<number, Inexactness> {
  const found = new Map<number, Inexactness>();
  const stack: Container[] = [];
  const top = perElement ? 1 : 0;
  let isKey = false;

  const report = (code: Inexactness['code'], reason: string, containers = stack): void => {
    const element = perElement ? Number(stack[0]?.step ?? 0) : 0;
    if (found.has(element)) return;
    found.set(element, { path: containers.slice(top).map(({ step }) => step), code, reason });
  };

  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      const end = endOfString(text, at);
      if (isKey) {
        const object = stack.at(-1) as Container;
        const raw = text.slice(at + 1, end);
        const key = raw.includes('\\') ? (JSON.parse(`"${raw}"`) as string) : raw;
        object.step = key;
        if (object.keys?.has(key))
          report('not_exact', 'This key stands twice in one object; only one of its values could be kept.');
        object.keys?.add(key);
        isKey = false;
      }
      at = end;
    } else if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      // The event is the first level; `depth` counts from its `data`.
      if (stack.length - top > depth)
        report('too_deep', `Nested more than ${depth} levels deep.`, stack.slice(0, top + 1));
      isKey = code === OPEN_BRACE;
      stack.push(isKey ? { keys: new Set(), step: '' } : { keys: undefined, step: 0 });
    } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) {
      stack.pop();
      isKey = false;
    } else if (code === COMMA) {
      const container = stack.at(-1) as Container;
      if (container.keys === undefined) container.step = (container.step as number) + 1;
      else isKey = true;
    } else if (code === MINUS || (code >= ZERO && code <= NINE)) {
      const start = at;
      while (isNumberPart(text.charCodeAt(at + 1))) at++;
      // A decimal of up to 15 significant digits without an exponent round-trips through a double (IEEE 754).
      if (at - start >= 15 || text.slice(start, at + 1).search(/e/i) >= 0) {
        const literal = text.slice(start, at + 1);
        if (!isExact(literal))
          report('not_exact', `The number ${truncate(literal)} cannot be kept exactly; send it as a string.`);
      }
    }
  }
  return found;
}

/**
 * The original texts of selected elements of an array.
 * @param text a JSON array that JSON.parse has accepted
 * @param wanted a map whose keys are the indexes of the elements
 * @returns the texts by index
 */
export function elementTexts(text: string, wanted: ReadonlyMap<number, unknown>): Map<number, string> {
  const texts = new Map<number, string>();
  let depth = 0;
  let index = 0;
  let start = 0;
  const end = (at: number): void => {
    if (wanted.has(index)) texts.set(index, text.slice(start, at).trim());
    index++;
    start = at + 1;
  };
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at);
    else if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      if (depth++ === 0) start = at + 1;
    } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) {
      if (--depth === 0) end(at);
    } else if (code === COMMA && depth === 1) end(at);
  }
  return texts;
}

/** The index of the closing quote of a string. @param start index of the opening quote */
export function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end;
}

function isEscaped(text: string, at: number): boolean {
  let backslashes = 0;
  while (text.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes++;
  return backslashes % 2 === 1;
}

/** True for digits, signs, the decimal point and the exponent. Their order is not checked: the text is valid JSON. */
function isNumberPart(code: number): boolean {
  return (
    (code >= ZERO && code <= NINE) ||
    code === 0x2e ||
    code === 0x65 ||
    code === 0x45 ||
    code === 0x2b ||
    code === MINUS
  );
}

/** True if parsing the literal as a double and formatting it again gives the same decimal number. */
export function isExact(literal: string): boolean {
  const number = Number(literal);
  return Number.isFinite(number) && normalizedDecimal(literal) === normalizedDecimal(String(number));
}

/**
 * A decimal number as its significant digits and a power of ten. Equal numbers have equal texts. An exponent beyond the
 * safe integers loses digits here, but such a literal becomes 0 or Infinity as a double and differs anyway.
 */
function normalizedDecimal(literal: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(literal) ?? [];
  const digits = (whole + fraction).replace(/^0+/, '');
  const significant = withoutTrailingZeros(digits);
  if (significant === '') return '0';
  return `${sign}${significant}e${Number(exponent) - fraction.length + digits.length - significant.length}`;
}

/** A loop, because `/0+$/` takes quadratic time for many zeros followed by another digit. */
function withoutTrailingZeros(digits: string): string {
  let end = digits.length;
  while (digits.charCodeAt(end - 1) === ZERO) end--;
  return digits.slice(0, end);
}

function truncate(literal: string): string {
  return literal.length <= 40 ? literal : `${literal.slice(0, 37)}…`;
}
