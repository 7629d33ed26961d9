import type { PipeTransform } from '@nestjs/common';
import { getMetadataStorage, validateSync } from 'class-validator';
import { environment } from '../config/environment.js';
import { boundErrors, MAX_FIELDS } from '../errors/bounded-errors.js';
import { DomainError, type FieldErrors, InvalidFieldsError } from '../errors/domain-error.js';
import { findInexactness } from '../json/exact-json.js';
import { isJsonObject } from '../json/json-object.js';
import { JsonBody } from './bodies.js';
import { emptyBody, malformedJson } from './http-errors.js';
import { parseField } from './parsed.decorator.js';

const EMPTY_BODY = 'The body is empty: send a JSON object.';

/**
 * Reads a body that must be one JSON object into a DTO. Like an event, it is rejected if JSON.parse would change it.
 *
 * Nest's ValidationPipe cannot do this: it deletes keys called `__proto__` and copies nested values, which would change a
 * JSON Schema, and class-validator's whitelist accepts the names of Object.prototype, such as `constructor`.
 */
export class JsonObjectPipe<Dto extends object> implements PipeTransform<unknown, Dto> {
  /** The properties of `dto` that have validation decorators. */
  private readonly fields: ReadonlySet<string>;

  constructor(private readonly dto: new () => Dto) {
    const rules = getMetadataStorage().getTargetValidationMetadatas(dto, '', false, false);
    this.fields = new Set(rules.map(({ propertyName }) => propertyName));
  }

  /** @throws DomainError `empty_body`, `unsupported_media_type`, `malformed_json`, `invalid` */
  transform(body: unknown): Dto {
    if (body === undefined || body === null) throw emptyBody(EMPTY_BODY);
    if (!(body instanceof JsonBody))
      throw new DomainError('unsupported', 'unsupported_media_type', 'Send application/json.');
    const dto = new this.dto();
    // No prototype, so that `__proto__` is a key like any other.
    const errors = Object.create(null) as FieldErrors;
    let unknown = 0;
    for (const [name, value] of Object.entries(parse(body.text))) {
      if (this.fields.has(name)) Object.assign(dto, { [name]: parseField(dto, name, value) });
      // Tens of thousands of names in one object would cost more than parsing them.
      else if (++unknown <= MAX_FIELDS) errors[name] = ['Unknown field.'];
    }
    for (const { property, value, constraints = {} } of validateSync(dto, { stopAtFirstError: true }))
      errors[property] = value === undefined ? ['This field is required.'] : Object.values(constraints);
    if (Object.keys(errors).length > 0)
      throw new InvalidFieldsError(boundErrors(errors, 'body', Math.max(0, unknown - MAX_FIELDS)));
    return dto;
  }
}

function parse(text: string): Record<string, unknown> {
  if (text.trim() === '') throw emptyBody(EMPTY_BODY);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw malformedJson(`Not valid JSON: ${(error as Error).message}.`);
  }
  if (!isJsonObject(value)) throw new InvalidFieldsError({ body: ['Must be a JSON object.'] });
  const inexactness = findInexactness(text, environment.DEPTH_LIMIT);
  if (inexactness)
    throw new InvalidFieldsError(
      boundErrors({ [inexactness.path.join('.') || 'body']: [inexactness.reason] }, 'body'),
    );
  return value;
}
