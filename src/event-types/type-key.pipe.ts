import { Injectable, type PipeTransform } from '@nestjs/common';
import { type FieldErrors, Problem } from '../platform/http/problem.js';
import { exceedsMaxTextsBytes, MAX_TEXTS_BYTES, textViolation } from '../platform/model/event-text.js';
import type { TypeKey } from './event-types.repository.js';

/** Reads a type from the path, held to the same limits as the fields of an event. */
@Injectable()
export class TypeKeyPipe implements PipeTransform<Record<string, string>, TypeKey> {
  /** @throws Problem 400 */
  transform({ category = '', name = '' }: Record<string, string>): TypeKey {
    const errors: FieldErrors = {};
    for (const [field, text] of Object.entries({ category, name })) {
      const flaw = textViolation(text);
      if (flaw) errors[field] = [flaw.message];
    }
    if (exceedsMaxTextsBytes(category + name))
      errors['category'] ??= [
        `category and name together must not exceed ${MAX_TEXTS_BYTES} bytes in UTF-8.`,
      ];
    if (Object.keys(errors).length > 0) throw Problem.invalid(errors);
    return { category, name };
  }
}
