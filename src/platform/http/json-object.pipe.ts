import type { PipeTransform } from '@nestjs/common';
import { getMetadataStorage, validateSync } from 'class-validator';
import { environment } from '../config/environment.js';
import { findInexactness } from '../json/exact-json.js';
import { isJsonObject } from '../json/json-object.js';
import { JsonBody } from './bodies.js';
import { type FieldErrors, Problem } from './problem.js';

/**
 * Reads a body that must be one JSON object with certain fields. What JSON.parse would change without a word is refused
 * by name, as in an event.
 */
export class JsonObjectPipe<Dto extends object> implements PipeTransform<unknown, Dto> {
  /** Those that the body may have: the fields of `dto` that its decorators say something about. */
  private readonly fields: ReadonlySet<string>;

  constructor(private readonly dto: new () => Dto) {
    const rules = getMetadataStorage().getTargetValidationMetadatas(dto, '', false, false);
    this.fields = new Set(rules.map(({ propertyName }) => propertyName));
  }

  /** @throws Problem 400, 415 */
  transform(body: unknown): Dto {
    if (body === undefined || body === null)
      throw new Problem(400, 'empty_body', 'The body is empty: send a JSON object.');
    if (!(body instanceof JsonBody))
      throw new Problem(415, 'unsupported_media_type', 'Send application/json.');
    const errors = Object.create(null) as FieldErrors;
    const given = parse(body.text);
    for (const name of Object.keys(given)) if (!this.fields.has(name)) errors[name] = ['Unknown field.'];
    const dto = new this.dto();
    for (const name of this.fields)
      if (Object.hasOwn(given, name)) (dto as Record<string, unknown>)[name] = given[name];
    for (const { property, value, constraints } of validateSync(dto, { stopAtFirstError: true }))
      errors[property] = value === undefined ? ['This field is required.'] : Object.values(constraints ?? {});
    if (Object.keys(errors).length > 0) throw Problem.invalid(errors);
    return dto;
  }
}

/** @throws Problem 400 */
function parse(text: string): Record<string, unknown> {
  if (text.trim() === '') throw new Problem(400, 'empty_body', 'The body is empty: send a JSON object.');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Problem(400, 'malformed_json', `Not valid JSON: ${(error as Error).message}.`);
  }
  if (!isJsonObject(value)) throw Problem.invalid({ body: ['Must be a JSON object.'] });
  const inexactness = findInexactness(text, environment.DEPTH_LIMIT, false).get(0);
  if (inexactness) throw Problem.invalid({ [inexactness.path.join('.') || 'body']: [inexactness.reason] });
  return value;
}
