import { _, type Ajv2020, type FuncKeywordDefinition } from 'ajv/dist/2020.js';

/**
 * Equality of JSON values. The one that ajv brings asks values for their own `toString`, `valueOf` and `constructor`, and
 * fails or errs where a payload has a key of such a name.
 */
export function isSame(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false;
  if (Array.isArray(one) || Array.isArray(other))
    return (
      Array.isArray(one) &&
      Array.isArray(other) &&
      one.length === other.length &&
      one.every((item, index) => isSame(item, other[index]))
    );
  const keys = Object.keys(one);
  return (
    keys.length === Object.keys(other).length &&
    keys.every(
      (key) =>
        Object.hasOwn(other, key) &&
        isSame((one as Record<string, unknown>)[key], (other as Record<string, unknown>)[key]),
    )
  );
}

const isPlain = (value: unknown): boolean => typeof value !== 'object' || value === null;

/** True where no two items are the same: texts and numbers by a set, objects and arrays in pairs. */
export function areUnique(items: readonly unknown[]): boolean {
  const plain = items.filter(isPlain);
  if (new Set(plain).size < plain.length) return false;
  const others = items.filter((item) => !isPlain(item));
  for (let index = 1; index < others.length; index++)
    for (let before = 0; before < index; before++) if (isSame(others[before], others[index])) return false;
  return true;
}

/** Whether a value is one of these. */
function isOneOf(allowed: readonly unknown[]): (value: unknown) => boolean {
  const plain = new Set(allowed.filter(isPlain));
  const others = allowed.filter((value) => !isPlain(value));
  return (value) => (isPlain(value) ? plain.has(value) : others.some((each) => isSame(value, each)));
}

const KEYWORDS: FuncKeywordDefinition[] = [
  {
    keyword: 'const',
    compile: (allowed: unknown) => (value: unknown) => isSame(value, allowed),
    errors: false,
    error: {
      message: 'must be equal to constant',
      params: ({ schemaCode }) => _`{allowedValue: ${schemaCode}}`,
    },
  },
  {
    keyword: 'enum',
    schemaType: 'array',
    compile: isOneOf,
    errors: false,
    error: {
      message: 'must be equal to one of the allowed values',
      params: ({ schemaCode }) => _`{allowedValues: ${schemaCode}}`,
    },
  },
  {
    keyword: 'uniqueItems',
    type: 'array',
    schemaType: 'boolean',
    compile: (wanted: boolean) => (items: unknown[]) => !wanted || areUnique(items),
    errors: false,
    error: { message: 'must NOT have duplicate items' },
  },
];

/** Teaches ajv the keywords that compare values anew. */
export function compareExactly(ajv: Ajv2020): void {
  for (const keyword of KEYWORDS) ajv.removeKeyword(String(keyword.keyword)).addKeyword(keyword);
}
