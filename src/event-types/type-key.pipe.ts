import { Injectable, type PipeTransform } from '@nestjs/common';
import { environment } from '../config/environment.js';
import { type FieldErrors, Problem } from '../http/problem.js';
import type { TypeKey } from './event-types.repository.js';

/** Bytes of category and name together: as in an event, so that they fit into a row of an index. */
const TEXTS_BYTES = 2400;

/** Reads a type from the path, held to the same limits as the fields of an event. */
@Injectable()
export class TypeKeyPipe implements PipeTransform<Record<string, string>, TypeKey> {
  /** @throws Problem 400 */
  transform({ category = '', name = '' }: Record<string, string>): TypeKey {
    const errors: FieldErrors = {};
    for (const [field, text] of Object.entries({ category, name })) {
      const message = whyNotText(text);
      if (message !== undefined) errors[field] = [message];
    }
    if (Buffer.byteLength(category + name) > TEXTS_BYTES)
      errors['category'] ??= [`category and name together must not exceed ${TEXTS_BYTES} bytes in UTF-8.`];
    if (Object.keys(errors).length > 0) throw Problem.invalid(errors);
    return { category, name };
  }
}

function whyNotText(text: string): string | undefined {
  if (text === '') return 'Must not be empty.';
  if (Array.from(text).length > environment.TEXT_LIMIT)
    return `Must not exceed ${environment.TEXT_LIMIT} characters.`;
  return text.includes('\0')
    ? 'Must not contain the character U+0000: PostgreSQL cannot store it.'
    : undefined;
}
