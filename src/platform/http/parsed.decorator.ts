import 'reflect-metadata';
import { applyDecorators } from '@nestjs/common';
import { Transform } from 'class-transformer';
import { Valid } from './valid.decorator.js';

const PARSE = 'the-eye:parse';

/** @returns what a property stands for, or Unparsable */
type Parse = (value: unknown) => unknown;

/** Stands for a value that could not be parsed, until validation reports it. */
export class Unparsable {
  constructor(readonly reason: string) {}
}

/** Replaces a property with what it is parsed into, so that nothing parses it again. */
export function Parsed(parse: Parse): PropertyDecorator {
  return applyDecorators(
    (prototype: object, property?: string | symbol) =>
      Reflect.defineMetadata(PARSE, parse, prototype, property as string | symbol),
    Transform(({ value }) => parse(value)),
    Valid((value) => (value instanceof Unparsable ? value.reason : undefined)),
  );
}

/** Does for JsonObjectPipe what class-transformer does for a query. */
export function parseField(dto: object, property: string, value: unknown): unknown {
  const parse = Reflect.getMetadata(PARSE, dto, property) as Parse | undefined;
  return parse === undefined ? value : parse(value);
}
