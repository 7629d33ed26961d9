import { ValidationPipe } from '@nestjs/common';
import type { ValidationError } from 'class-validator';
import { type FieldErrors, InvalidParametersError } from '../errors/domain-error.js';

/** Parses a query string into a DTO and rejects parameters that the DTO does not declare. */
export const queryPipe = new ValidationPipe({
  transform: true,
  whitelist: true,
  forbidNonWhitelisted: true,
  exceptionFactory: toParameterErrors,
});

function toParameterErrors(found: ValidationError[]): InvalidParametersError {
  const errors: FieldErrors = {};
  for (const { property, constraints = {} } of found) {
    errors[property] =
      'whitelistValidation' in constraints ? ['Unknown parameter.'] : Object.values(constraints);
  }
  return new InvalidParametersError(errors);
}
