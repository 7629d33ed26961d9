import type { PipeTransform } from '@nestjs/common';
import { plainToInstance } from 'class-transformer';
import { type ValidationError, validateSync } from 'class-validator';
import { JsonBody } from './bodies.js';
import { type FieldErrors, Problem } from './problem.js';

/** Reads a JSON body into a DTO of this class, and names each field that is not as its rules say. */
export class JsonDtoPipe<Dto extends object> implements PipeTransform<unknown, Dto> {
  constructor(private readonly type: new () => Dto) {}

  /** @throws Problem 400 */
  transform(body: unknown): Dto {
    if (!(body instanceof JsonBody) || body.text.trim() === '')
      throw new Problem(400, 'empty_body', 'The body is empty: send a JSON object.');
    const value = parse(body.text);
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw Problem.invalid({ body: ['Must be a JSON object.'] });
    const dto = plainToInstance(this.type, value);
    const found = validateSync(dto, { whitelist: true, forbidNonWhitelisted: true });
    const errors: FieldErrors = Object.fromEntries(found.map(explain));
    if (found.length > 0) throw Problem.invalid(errors);
    return dto;
  }
}

function explain({ property, value, constraints = {} }: ValidationError): [string, string[]] {
  if ('whitelistValidation' in constraints) return [property, ['Unknown field.']];
  if (value === undefined) return [property, ['This field is required.']];
  return [property, Object.values(constraints)];
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Problem(400, 'malformed_json', `Not valid JSON: ${(error as Error).message}.`);
  }
}
