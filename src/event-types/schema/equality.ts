import { countSteps } from './steps.js';

/** Steps of comparing two values without the values in them. */
const STEPS_PER_COMPARISON = 0.2;

/**
 * Equality of JSON values. That of ajv (fast-deep-equal) calls the values' own `toString`, `valueOf` and `constructor`, so
 * it throws or compares wrongly when a payload has keys of these names.
 */
export function isEqual(one: unknown, other: unknown): boolean {
  countSteps(STEPS_PER_COMPARISON);
  if (one === other) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false;
  if (Array.isArray(one) || Array.isArray(other))
    return (
      Array.isArray(one) &&
      Array.isArray(other) &&
      one.length === other.length &&
      one.every((item, index) => isEqual(item, other[index]))
    );
  const keys = Object.keys(one);
  return (
    keys.length === Object.keys(other).length &&
    keys.every(
      (key) =>
        Object.hasOwn(other, key) &&
        isEqual((one as Record<string, unknown>)[key], (other as Record<string, unknown>)[key]),
    )
  );
}

const isPrimitive = (value: unknown): boolean => typeof value !== 'object' || value === null;

/** Whether no two items are equal. Finds equal primitives with a set and compares objects and arrays in pairs. */
export function areUnique(items: readonly unknown[]): boolean {
  countSteps(items.length);
  const primitives = items.filter(isPrimitive);
  if (new Set(primitives).size < primitives.length) return false;
  const others = items.filter((item) => !isPrimitive(item));
  for (let index = 1; index < others.length; index++)
    for (let before = 0; before < index; before++) if (isEqual(others[before], others[index])) return false;
  return true;
}

/** @returns a function that tells whether a value equals one of `allowed` */
export function isOneOf(allowed: readonly unknown[]): (value: unknown) => boolean {
  const primitives = new Set(allowed.filter(isPrimitive));
  const others = allowed.filter((value) => !isPrimitive(value));
  return (value) =>
    isPrimitive(value) ? primitives.has(value) : others.some((each) => isEqual(value, each));
}
