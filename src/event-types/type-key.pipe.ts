import { Injectable, type PipeTransform } from '@nestjs/common';
import { type FieldErrors, InvalidFieldsError } from '../platform/errors/domain-error.js';
import { exceedsMaxTextsBytes, MAX_TEXTS_BYTES, textViolation } from '../platform/model/event-text.js';
import type { TypeKey } from './event-types.repository.js';

/** Reads the key of a type from the path, with the limits of the fields of an event. */
@Injectable()
export class TypeKeyPipe implements PipeTransform<Record<string, string>, TypeKey> {
  /** @throws InvalidFieldsError */
  transform({ category = '', name = '' }: Record<string, string>): TypeKey {
    const errors: FieldErrors = {};
    for (const [field, text] of Object.entries({ category, name })) {
      const violation = textViolation(text);
      if (violation) errors[field] = [violation.message];
    }
    if (exceedsMaxTextsBytes(category + name))
      errors['category'] ??= [
        `category and name together must not exceed ${MAX_TEXTS_BYTES} bytes in UTF-8.`,
      ];
    if (Object.keys(errors).length > 0) throw new InvalidFieldsError(errors);
    return { category, name };
  }
}
