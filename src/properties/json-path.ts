/** An escaped dot in a key, as ClickHouse's JSON type has it in its paths. */
const ESCAPED_DOT = '%2E';

/** The path of a JSON column, by the keys that lead to a value. */
export const toJsonPath = (keys: readonly string[]): string =>
  keys.map((key) => key.replaceAll('.', ESCAPED_DOT)).join('.');

/** A value and the keys that lead to it. */
export interface Found {
  readonly keys: readonly string[];
  readonly value: unknown;
}

/**
 * Finds the value of a path of a JSON column in a payload. The payload distinguishes a key with a dot from one with `%2E`.
 * @returns undefined if there is none
 */
export function findByJsonPath(value: unknown, path: string): Found | undefined {
  return find(value, path.split('.'), []);
}

function find(value: unknown, segments: readonly string[], keys: readonly string[]): Found | undefined {
  const [segment, ...rest] = segments;
  if (segment === undefined) return { keys, value };
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  for (const [key, member] of Object.entries(value)) {
    if (toJsonPath([key]) !== segment) continue;
    const found = find(member, rest, [...keys, key]);
    if (found) return found;
  }
  return undefined;
}

/** The keys of a path of a JSON column, where there is no payload to ask. */
export const fromJsonPath = (path: string): string[] =>
  path.split('.').map((key) => key.replaceAll(ESCAPED_DOT, '.'));
