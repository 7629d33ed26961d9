import { storabilityViolation } from './storable-text.js';

/** The value contains something that cannot be stored exactly as it was sent. */
export class NotStorableError extends Error {
  /** @param path from the value that was passed to `canonicalJson`, e.g. `['form', 0, 'name']` */
  constructor(
    readonly path: readonly (string | number)[],
    readonly reason: string,
  ) {
    super(reason);
  }
}

/** Characters that JSON escapes or that may not be storable. A text without them needs only quotes. */
// eslint-disable-next-line no-control-regex
const POSSIBLY_ESCAPED = /[\0-\x1F"\\\uD800-\uDFFF]/;

/**
 * The canonical JSON text of a value that JSON.parse returned: no whitespace, keys sorted by UTF-16 code units, strings
 * and numbers formatted as ECMAScript does (RFC 8785). Two values are equal if and only if their texts are.
 *
 * The same pass rejects characters that PostgreSQL cannot store, in keys and values: U+0000 and lone surrogates.
 * @param levels maximum nesting of objects and arrays
 * @throws NotStorableError if the value cannot be stored or is nested deeper than `levels`
 * @see https://www.rfc-editor.org/rfc/rfc8785
 */
export function canonicalJson(
  value: unknown,
  levels = Infinity,
  path: readonly (string | number)[] = [],
): string {
  if (typeof value === 'string') return canonicalText(value, path);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (levels === 0) throw new NotStorableError([], 'Nested too deep.');
  let text = '';
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      text += `${index === 0 ? '' : ','}${canonicalMember(value[index], levels, index)}`;
    }
    return `[${text}]`;
  }
  const fields = value as Record<string, unknown>;
  const keys = Object.keys(fields);
  if (keys.length > 1) keys.sort();
  for (const key of keys) {
    text += `${text === '' ? '' : ','}${canonicalText(key, [key])}:${canonicalMember(fields[key], levels, key)}`;
  }
  return `{${text}}`;
}

/** Extends the path of an error on its way up. Building paths on the way down would slow down every event. */
function canonicalMember(value: unknown, levels: number, step: string | number): string {
  if (typeof value !== 'object' && typeof value !== 'string') return JSON.stringify(value);
  try {
    return canonicalJson(value, levels - 1);
  } catch (error) {
    if (error instanceof NotStorableError) throw new NotStorableError([step, ...error.path], error.reason);
    throw error;
  }
}

function canonicalText(text: string, path: readonly (string | number)[]): string {
  if (!POSSIBLY_ESCAPED.test(text)) return `"${text}"`;
  const reason = storabilityViolation(text);
  if (reason !== undefined) throw new NotStorableError(path, reason);
  return JSON.stringify(text);
}

/** An exponent in a canonical text, or what looks like one in a string. */
const EXPONENT = /\de[+-]/;

/** The canonical text of a number in exponent notation. */
const EXPONENT_NOTATION = /^(-?)\d(?:\.(\d+))?e([+-]\d+)$/;

/**
 * The bytes that a canonical text grows by when its numbers are written out: PostgreSQL returns `1e+300` with 301 digits.
 * @param canonical the canonical text of the value
 * @see https://www.postgresql.org/docs/current/datatype-json.html
 */
export const growthOfNumbers = (value: unknown, canonical: string): number =>
  EXPONENT.test(canonical) ? sumOfGrowths(value) : 0;

function sumOfGrowths(value: unknown): number {
  if (typeof value === 'number') return growthOfNumber(JSON.stringify(value));
  if (typeof value !== 'object' || value === null) return 0;
  return Object.values(value).reduce<number>((sum, member) => sum + sumOfGrowths(member), 0);
}

function growthOfNumber(text: string): number {
  const [, sign = '', fraction = '', exponent] = EXPONENT_NOTATION.exec(text) ?? [];
  if (exponent === undefined) return 0;
  const places = Number(exponent);
  // Below one: `0.`, zeros, and all digits. A large number has more places than digits, so nothing remains behind its point.
  const length = places < 0 ? '0.'.length - places + fraction.length : places + 1;
  return sign.length + length - text.length;
}
