import type { ValidationError } from 'class-validator';
import { type FieldErrors, Problem } from './problem.js';

/** Turns what class-validator found in a query string into a problem that names each parameter. */
export function queryErrors(found: ValidationError[]): Problem {
  const errors: FieldErrors = {};
  for (const { property, constraints = {} } of found) {
    errors[property] =
      'whitelistValidation' in constraints ? ['Unknown parameter.'] : Object.values(constraints);
  }
  return Problem.invalid(errors, 'Some parameters are not as they must be.');
}
