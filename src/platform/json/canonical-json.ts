import { whyNotStorable } from './storable-text.js';

/** A value that cannot be kept as it was sent, with where it stands and why. */
export class NotStorableError extends Error {
  /** @param path e.g. `data.form.0.name`, without its first part */
  constructor(
    readonly path: readonly (string | number)[],
    readonly reason: string,
  ) {
    super(reason);
  }
}

/** What JSON escapes, or what may not be storable; text without any of it stands in JSON as it is. */
// eslint-disable-next-line no-control-regex
const UNUSUAL = /[\0-\x1F"\\\uD800-\uDFFF]/;

/**
 * The canonical JSON text of a value that came from JSON.parse: no blanks, keys sorted by UTF-16 code units, strings
 * and numbers spelt as ECMAScript does (RFC 8785). Two values are the same exactly if their texts are.
 *
 * The same walk finds what PostgreSQL cannot keep: U+0000 and lone surrogates, in keys too.
 * @param levels how deep objects and arrays may stand in one another
 * @throws NotStorableError
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
      text += `${index === 0 ? '' : ','}${locate(value[index], levels, index)}`;
    }
    return `[${text}]`;
  }
  const fields = value as Record<string, unknown>;
  const keys = Object.keys(fields);
  if (keys.length > 1) keys.sort();
  for (const key of keys) {
    text += `${text === '' ? '' : ','}${canonicalText(key, [key])}:${locate(fields[key], levels, key)}`;
  }
  return `{${text}}`;
}

/** Builds the path only where something was found: paths made on the way down would cost every event. */
function locate(value: unknown, levels: number, step: string | number): string {
  if (typeof value !== 'object' && typeof value !== 'string') return JSON.stringify(value);
  try {
    return canonicalJson(value, levels - 1);
  } catch (error) {
    if (error instanceof NotStorableError) throw new NotStorableError([step, ...error.path], error.reason);
    throw error;
  }
}

function canonicalText(text: string, path: readonly (string | number)[]): string {
  if (!UNUSUAL.test(text)) return `"${text}"`;
  const reason = whyNotStorable(text);
  if (reason !== undefined) throw new NotStorableError(path, reason);
  return JSON.stringify(text);
}
