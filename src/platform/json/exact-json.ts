/** Something that JSON.parse would change or that goes too deep, in one element of the text. */
export interface Inexactness {
  /** Where it stands, from the top of its element: `['data', 'form', 0]`. */
  readonly path: readonly (string | number)[];
  readonly code: 'not_exact' | 'too_deep';
  readonly reason: string;
}

interface Container {
  /** The keys met so far, or undefined in an array. */
  readonly keys: Set<string> | undefined;
  /** The key or the index at which the scan is. */
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
 * Finds what JSON.parse changes without a word: numbers that a double cannot hold, and keys that stand twice in one
 * object (the first value is lost). Finds nesting beyond `depth` on the way. One pass, no recursion: text that is nested
 * a million deep costs no more than other text.
 *
 * @param text JSON that JSON.parse has accepted; this scan relies on it
 * @param elements true: `text` is an array, and each of its elements is looked at by itself
 * @returns the first finding of each element that has one, by the element's index (0 without `elements`)
 */
export function findInexactness(text: string, depth: number, elements: boolean): Map<number, Inexactness> {
  const found = new Map<number, Inexactness>();
  const stack: Container[] = [];
  const top = elements ? 1 : 0;
  let isKey = false;

  const report = (code: Inexactness['code'], reason: string, containers = stack): void => {
    const element = elements ? Number(stack[0]?.step ?? 0) : 0;
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
      // The event itself is one level, its data the next.
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
      // Fifteen significant digits without an exponent always survive a double (IEEE 754).
      if (at - start >= 15 || text.slice(start, at + 1).search(/e/i) >= 0) {
        const literal = text.slice(start, at + 1);
        if (!isExact(literal))
          report('not_exact', `The number ${abridge(literal)} cannot be kept exactly; send it as a string.`);
      }
    }
  }
  return found;
}

/**
 * The texts of some elements of an array, as they were written.
 * @param text a JSON array that JSON.parse has accepted
 * @param wanted by their index
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

/** The place of the quote that ends a string. @param start of the quote that begins it */
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

/** Digits, sign, point and exponent; the text is valid JSON, so that order needs no check. */
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

/** True where the double nearest to the literal, spelt again, is the same decimal number. */
export function isExact(literal: string): boolean {
  const number = Number(literal);
  return Number.isFinite(number) && decimal(literal) === decimal(String(number));
}

/**
 * A decimal number as digits without zeros around them and a power of ten; equal numbers give equal texts. An exponent
 * too large to count with stands in literals that a double holds as 0 or Infinity only, which are found to differ anyway.
 */
function decimal(literal: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(literal) ?? [];
  const digits = (whole + fraction).replace(/^0+/, '');
  const significant = withoutTrailingZeros(digits);
  if (significant === '') return '0';
  return `${sign}${significant}e${Number(exponent) - fraction.length + digits.length - significant.length}`;
}

/** By hand: `/0+$/` takes quadratic time where many zeros stand before another digit. */
function withoutTrailingZeros(digits: string): string {
  let end = digits.length;
  while (digits.charCodeAt(end - 1) === ZERO) end--;
  return digits.slice(0, end);
}

function abridge(literal: string): string {
  return literal.length <= 40 ? literal : `${literal.slice(0, 37)}…`;
}
