import { ApiQuery } from '@nestjs/swagger';
import { Allow } from 'class-validator';
import { Parsed, Unparsable } from '../http/parsed.decorator.js';
import { EventFilterDto } from '../paging/query.dto.js';
import { EVERYTHING, type Filter, FilterError } from './filter.js';
import { OPERATORS } from './operators.js';
import { parseProperty } from './property-name.js';

/** The parameters that say which events a question is about. Parsed by `filterPipe`. */
export class FilteredDto extends EventFilterDto {
  /** All conditions of the query string. Not a parameter itself. */
  @Allow()
  filter: Filter = EVERYTHING;
}

const OPERATOR_LIST = Object.entries(OPERATORS)
  .map(([name, { description }]) => `\`${name}\` ${description}`)
  .join('; ');

/** Documents the conditions on properties, which are parameters without fixed names. */
export const ApiFilters = (): MethodDecorator =>
  ApiQuery({
    name: 'conditions',
    required: false,
    style: 'form',
    explode: true,
    description:
      'Any number of conditions on `application`, `category`, `name`, `session_id` and the values inside `data`, each a parameter of its own: ' +
      '`data.path=/checkout` is equality with a text, `data.price:gte=10` uses an operator. ' +
      `Operators: ${OPERATOR_LIST}. See "Filters" in docs/questions.md.`,
    schema: {
      type: 'object',
      additionalProperties: { type: 'string' },
      example: { 'data.path': '/', 'data.host:begins': 'www.' },
    },
  });

/** A parameter in the language of filters. @param parse throws FilterError */
export const ParsedText = (parse: (text: string) => unknown): PropertyDecorator =>
  Parsed((value): unknown => {
    if (typeof value !== 'string') return new Unparsable('Must be given once.');
    try {
      return parse(value);
    } catch (error) {
      if (error instanceof FilterError) return new Unparsable(error.message);
      throw error;
    }
  });

/** A parameter that names a property. */
export const PropertyParameter = (): PropertyDecorator => ParsedText(parseProperty);
