import { countSteps, STEP_COUNTERS } from './steps.js';

/** Steps of comparing two values without the values in them, and for each key of them. */
const COMPARISON_STEPS = 0.2;
const COMPARED_KEY_STEPS = 0.25;

/** Steps of writing a value as text, besides those of the text. */
const WRITING_STEPS = 2;

/**
 * Equality of JSON values. That of ajv (fast-deep-equal) calls the values' own `toString`, `valueOf` and `constructor`, so
 * it throws or compares wrongly when a payload has keys of these names.
 */
export function isEqual(one: unknown, other: unknown): boolean {
  countSteps(COMPARISON_STEPS);
  if (one === other) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false;
  if (Array.isArray(one) || Array.isArray(other))
    return (
      Array.isArray(one) &&
      Array.isArray(other) &&
      one.length === other.length &&
      one.every((item, index) => isEqual(item, other[index]))
    );
  const [keys, otherKeys] = [Object.keys(one), Object.keys(other)];
  countSteps((keys.length + otherKeys.length) * COMPARED_KEY_STEPS);
  return (
    keys.length === otherKeys.length &&
    keys.every(
      (key) =>
        Object.hasOwn(other, key) &&
        isEqual((one as Record<string, unknown>)[key], (other as Record<string, unknown>)[key]),
    )
  );
}

/** A text that only equal values share: JSON with sorted keys. With it, many values are compared in time linear in their size. */
function sortedJson(value: unknown): string {
  countSteps(WRITING_STEPS);
  const text = writeSorted(value);
  // It is joined again in each value that it is in.
  STEP_COUNTERS.textSteps(text);
  return text;
}

function writeSorted(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(sortedJson).join(',')}]`;
  const members = Object.entries(value)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${sortedJson(member)}`);
  return `{${members.join(',')}}`;
}

const isPrimitive = (value: unknown): boolean => typeof value !== 'object' || value === null;

/** Whether no two items are equal. */
export function areUnique(items: readonly unknown[]): boolean {
  countSteps(items.length);
  const primitives = items.filter(isPrimitive);
  if (new Set(primitives).size < primitives.length) return false;
  const texts = items.filter((item) => !isPrimitive(item)).map(sortedJson);
  return new Set(texts).size === texts.length;
}

/** @returns a function that checks whether a value equals one of `allowed` */
export function isOneOf(allowed: readonly unknown[]): (value: unknown) => boolean {
  const primitives = new Set(allowed.filter(isPrimitive));
  const texts = new Set(allowed.filter((value) => !isPrimitive(value)).map(sortedJson));
  return (value) =>
    isPrimitive(value) ? primitives.has(value) : texts.size > 0 && texts.has(sortedJson(value));
}
