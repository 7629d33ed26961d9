import { ValidateBy, ValidateIf, type ValidationArguments } from 'class-validator';

/**
 * Validates a property with a function.
 * @param violationOf returns the message for an invalid value, or undefined for a valid one
 */
export function Valid(violationOf: (value: unknown) => string | undefined): PropertyDecorator {
  return ValidateBy({
    name: 'valid',
    validator: {
      validate: (value) => violationOf(value) === undefined,
      defaultMessage: (args?: ValidationArguments) => violationOf(args?.value) ?? '',
    },
  });
}

/** Requires a property, where other decorators let `undefined` pass or its value is validated elsewhere. */
export const IsGiven = Valid((value) => (value === undefined ? 'This field is required.' : undefined));

/**
 * Leaves out the checks of a property that is not given. Unlike IsOptional, it does not let null pass, which a JSON body may
 * contain and for which no default steps in.
 */
export const IfGiven = ValidateIf((_, value) => value !== undefined);
