import 'reflect-metadata';
import { InvalidFieldsError } from '../errors/domain-error.js';
import { JsonBody } from './bodies.js';
import { JsonObjectPipe } from './json-object.pipe.js';
import { Valid } from './valid.decorator.js';

class Dto {
  @Valid(() => undefined)
  known: unknown;
}

function errorsOf(body: object): unknown {
  try {
    new JsonObjectPipe(Dto).transform(new JsonBody(Buffer.from(JSON.stringify(body))));
    return {};
  } catch (error) {
    if (!(error instanceof InvalidFieldsError)) throw error;
    return error.errors;
  }
}

describe('JsonObjectPipe', () => {
  it.each([1, 20, 21, 25_000])(
    'names the first twenty of %i unknown fields and counts all others',
    (count) => {
      const fields = Array.from({ length: count }, (_, index) => `field${index}`);
      const expected: Record<string, string[]> = Object.fromEntries(
        fields.slice(0, 20).map((field) => [field, ['Unknown field.']]),
      );
      if (count > 20) expected.body = [`${(count - 20).toLocaleString('en')} more fields are invalid.`];
      expect(errorsOf({ known: 1, ...Object.fromEntries(fields.map((field) => [field, 1])) })).toEqual(
        expected,
      );
    },
  );
});
