import { ValidateBy, type ValidationArguments } from 'class-validator';

/** A field that a function finds fault with, in words, or not. */
export function Valid(why: (value: unknown) => string | undefined): PropertyDecorator {
  return ValidateBy({
    name: 'ruled',
    validator: {
      validate: (value) => why(value) === undefined,
      defaultMessage: (args?: ValidationArguments) => why(args?.value) ?? '',
    },
  });
}
