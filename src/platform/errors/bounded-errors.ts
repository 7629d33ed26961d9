import type { FieldErrors } from './domain-error.js';

/** Fields that a response names. */
export const MAX_FIELDS = 20;

/** Characters of the name or path of a field. */
const MAX_NAME_LENGTH = 255;

/**
 * The errors of the first fields, since a sender can cause any number of them, with names of any length.
 * @param rest the field that says how many more there are
 * @param others invalid fields that are not in `errors`
 */
export function boundErrors(errors: FieldErrors, rest: string, others = 0): FieldErrors {
  const names = Object.keys(errors);
  const isBounded =
    others === 0 && names.length <= MAX_FIELDS && names.every((name) => name.length <= MAX_NAME_LENGTH);
  if (isBounded) return errors;
  // Without a prototype, so that a field called __proto__ is a field like any other.
  const bounded = Object.create(null) as FieldErrors;
  const add = (name: string, messages: readonly string[]): void =>
    void (bounded[name] ??= []).push(...messages);
  for (const name of names.slice(0, MAX_FIELDS)) add(truncate(name), errors[name] as string[]);
  const left = Math.max(0, names.length - MAX_FIELDS) + others;
  if (left > 0) add(rest, [`${left.toLocaleString('en')} more fields are invalid.`]);
  return bounded;
}

/** The name or path of a field, as a response shows it. */
export function truncate(name: string): string {
  return name.length <= MAX_NAME_LENGTH ? name : `${name.slice(0, MAX_NAME_LENGTH - 1)}…`;
}
