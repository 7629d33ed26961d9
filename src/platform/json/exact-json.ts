/** A value that JSON.parse would change, or nesting that is too deep. */
export interface Inexactness {
  /** Path from the root of the text, e.g. `['data', 'form', 0]`. */
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
 * Finds the first value that JSON.parse changes silently: a number that a double cannot represent, or a duplicate key, of
 * which JSON.parse drops the first value. Also finds nesting deeper than `depth`. The search makes one pass without
 * recursion. Its time is linear in the text, even with a million levels.
 *
 * @param text JSON that JSON.parse has accepted; the search does not check the syntax
 */
export function findInexactness(text: string, depth: number): Inexactness | undefined {
  const stack: Container[] = [];
  let isKey = false;

  const found = (code: Inexactness['code'], reason: string, containers = stack): Inexactness => ({
    path: containers.map(({ step }) => step),
    code,
    reason,
  });

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
          return found(
            'not_exact',
            'This key stands twice in one object; only one of its values could be kept.',
          );
        object.keys?.add(key);
        isKey = false;
      }
      at = end;
    } else if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      // The event is the first level; `depth` counts from its `data`.
      if (stack.length > depth) return found('too_deep', tooDeep(depth), stack.slice(0, 1));
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
      const literal = text.slice(start, at + 1);
      if (!isExact(literal))
        return found(
          'not_exact',
          `The number ${truncate(literal)} cannot be kept exactly; send it as a string.`,
        );
    }
  }
  return undefined;
}

/** Whether a JSON text has more levels of objects and arrays than `depth`, in one pass without recursion. */
export function isDeeperThan(depth: number, text: string): boolean {
  let level = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at);
    else if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      if (++level > depth) return true;
    } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) level--;
  }
  return false;
}

/** The message about nesting deeper than `depth`. */
export const tooDeep = (depth: number): string => `Nested more than ${depth} levels deep.`;

/**
 * The keys of all objects in a value. A value that was parsed from a text with more keys has lost some: they stood twice.
 * It recurses, so the depth must be known to be bounded.
 */
export function countKeys(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  let count = 0;
  if (Array.isArray(value)) for (const item of value) count += countKeys(item);
  else
    for (const key in value) {
      const inner: unknown = value[key as keyof typeof value];
      count += typeof inner === 'object' ? 1 + countKeys(inner) : 1;
    }
  return count;
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

/**
 * True if parsing the literal as a double and formatting it again gives the same decimal number. That is never so for `-0`,
 * whose sign is lost in canonical JSON (RFC 8785).
 */
export function isExact(literal: string): boolean {
  const number = Number(literal);
  const size = Math.abs(number);
  // A decimal of up to 15 significant digits round-trips through a double within this range (IEEE 754).
  if (literal.length <= 15 && size > 1e-290 && size < 1e290) return true;
  if (number === 0) return !literal.startsWith('-') && !/[1-9]/.test(literal.replace(/e.*/i, ''));
  const formatted = String(number);
  return (
    formatted === literal ||
    (size !== Infinity && normalizedDecimal(literal) === normalizedDecimal(formatted))
  );
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
