import type { PipeTransform } from '@nestjs/common';
import { validateSync } from 'class-validator';
import { environment } from '../config/environment.js';
import { findInexactness } from '../values/exact-json.js';
import { JsonBody } from './bodies.js';
import { type FieldErrors, Problem } from './problem.js';

/**
 * Reads a body that must be one JSON object with certain fields. What JSON.parse would change without a word is refused
 * by name, as in an event.
 */
export class JsonObjectPipe<Dto extends object> implements PipeTransform<unknown, Dto> {
  /** @param fields those that the body may have; what they must be is said by the decorators of `dto` */
  constructor(
    private readonly dto: new () => Dto,
    private readonly fields: readonly string[],
  ) {}

  /** @throws Problem 400, 415 */
  transform(body: unknown): Dto {
    if (body === undefined || body === null)
      throw new Problem(400, 'empty_body', 'The body is empty: send a JSON object.');
    if (!(body instanceof JsonBody))
      throw new Problem(415, 'unsupported_media_type', 'Send application/json.');
    const errors = Object.create(null) as FieldErrors;
    const given = parse(body.text);
    for (const name of Object.keys(given)) if (!this.fields.includes(name)) errors[name] = ['Unknown field.'];
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
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw Problem.invalid({ body: ['Must be a JSON object.'] });
  const inexactness = findInexactness(text, environment.DEPTH_LIMIT, false).get(0);
  if (inexactness) throw Problem.invalid({ [inexactness.path.join('.') || 'body']: [inexactness.reason] });
  return value as Record<string, unknown>;
}
