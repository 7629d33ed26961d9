import { type ArgumentMetadata, ValidationPipe } from '@nestjs/common';
import type { ValidationError } from 'class-validator';
import { type FieldErrors, InvalidParametersError, unknownParameters } from '../errors/domain-error.js';

/** Parses a query string into a DTO and rejects parameters that the DTO does not declare. */
export class QueryPipe extends ValidationPipe {
  constructor() {
    super({
      transform: true,
      whitelist: true,
      forbidNonWhitelisted: true,
      exceptionFactory: toParameterErrors,
    });
  }

  /** @throws InvalidParametersError */
  override transform(query: object, metadata: ArgumentMetadata): Promise<unknown> {
    // Class-transformer skips `__proto__` and `constructor`, and class-validator takes what each object inherits for declared.
    const inherited = Object.keys(query).filter((name) => name in Object.prototype);
    if (inherited.length > 0) throw unknownParameters(inherited);
    return super.transform(query, metadata);
  }
}

export const queryPipe = new QueryPipe();

function toParameterErrors(found: ValidationError[]): InvalidParametersError {
  const errors: FieldErrors = {};
  for (const { property, constraints = {} } of found) {
    errors[property] =
      'whitelistValidation' in constraints ? ['Unknown parameter.'] : Object.values(constraints);
  }
  return new InvalidParametersError(errors);
}
