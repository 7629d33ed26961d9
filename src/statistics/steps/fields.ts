import { applyDecorators } from '@nestjs/common';
import { ApiPropertyOptional } from '@nestjs/swagger';
import { FilterError, type Property } from '../../platform/filters/filter.js';
import { parseProperty } from '../../platform/filters/property-name.js';
import { Parsed, Unparsable } from '../../platform/http/parsed.decorator.js';
import { Valid } from '../../platform/http/valid.decorator.js';
import { parseWhere } from './step.js';

/** The steps of the examples: what the visitors of the demo do. */
export const EXAMPLE_STEP = { category: 'page interaction', name: 'pageview' };

/** A field of a body in the language of filters. @param parse throws FilterError */
export const ParsedField = (parse: (value: unknown) => unknown): PropertyDecorator =>
  Parsed((value): unknown => {
    try {
      return parse(value);
    } catch (error) {
      if (error instanceof FilterError) return new Unparsable(error.message);
      throw error;
    }
  });

/** A field with a fixed set of values. */
export const OneOf = (
  choices: readonly string[],
  description: string,
  byDefault: string,
): PropertyDecorator =>
  applyDecorators(
    ApiPropertyOptional({ enum: choices, description, default: byDefault }),
    Valid((value) =>
      choices.includes(value as string) ? undefined : `Must be one of ${choices.join(', ')}.`,
    ),
  );

/** Conditions on all events that a question looks at. */
export const Where = (): PropertyDecorator =>
  applyDecorators(
    ApiPropertyOptional({
      type: 'object',
      additionalProperties: true,
      example: { 'data.host': { not: 'intranet.example' } },
      description:
        'Only events that meet these conditions are looked at, as if there were no others. See "Steps and conditions" in docs/funnels.md.',
    }),
    ParsedField(parseWhere),
  );

/** A property by its name. */
export const PropertyField = (description: string, example: string): PropertyDecorator =>
  applyDecorators(
    ApiPropertyOptional({ type: String, description, example }),
    ParsedField((value): Property => {
      if (typeof value !== 'string') throw new FilterError('Must be the name of a property.');
      return parseProperty(value);
    }),
  );

/** Who goes through steps. */
export const By = (): PropertyDecorator =>
  PropertyField(
    'Who does things: `session_id`, which is the default, or any property, e.g. `data.user_id`. Events without a text, a number, ' +
      'true or false there are left out.',
    'session_id',
  );

export const SESSION: Property = { kind: 'field', field: 'session_id' };
