import type { FieldErrors } from '../errors/domain-error.js';
import { isJsonObject } from '../json/json-object.js';
import { type Filter, FilterError, type Property, type Scalar } from './filter.js';
import { ALWAYS_PRESENT, operatorNamed, toCondition } from './operators.js';
import { parseProperty } from './property-name.js';
import { MAX_CONDITIONS, ParameterErrors } from './query-filter.js';

/** Levels of `all`, `any` and `not`. */
const MAX_GROUP_LEVELS = 8;

/** After so many problems nobody reads on, and a body has room for tens of thousands. */
const MAX_PROBLEMS = 30;

type Place = readonly (string | number)[];

/** A filter in a body has errors; by their places, e.g. `filter.any.0.data.price.gte`. */
export class JsonFilterError extends Error {
  constructor(readonly errors: FieldErrors) {
    super('The filter is invalid.');
  }
}

/**
 * Parses a filter of a JSON body: the grammar of query strings with JSON's own types, and with groups.
 *
 * @example
 * ```json
 * { "category": "purchase", "data.price": { "gte": 10, "lt": 20 }, "any": [{ "data.plan": "pro" }, { "not": { "data.trial": true } }] }
 * ```
 * @param place where the filter stands, for the errors
 * @throws JsonFilterError
 */
export function parseJsonFilter(value: unknown, place: Place = ['filter']): Filter {
  const parser = new JsonFilterParser();
  const filter = parser.group(value, place, 0);
  if (parser.errors.any) throw new JsonFilterError(parser.errors.errors);
  return filter;
}

class JsonFilterParser {
  readonly errors = new ParameterErrors();
  private conditions = 0;
  private problems = 0;

  private get isOver(): boolean {
    return this.conditions > MAX_CONDITIONS || this.problems > MAX_PROBLEMS;
  }

  group(value: unknown, place: Place, level: number): Filter {
    const filters: Filter[] = [];
    if (!isJsonObject(value)) this.fail(place, 'Must be an object of conditions.');
    else if (level > 0 && Object.keys(value).length === 0) this.fail(place, 'Must have a condition.');
    else if (level > MAX_GROUP_LEVELS)
      this.fail(place, `Must have at most ${MAX_GROUP_LEVELS} levels of groups.`);
    else
      for (const [name, member] of Object.entries(value)) {
        if (this.isOver) break;
        filters.push(...this.member(name, member, place, level));
      }
    return { kind: 'all', filters };
  }

  private member(name: string, value: unknown, place: Place, level: number): Filter[] {
    const here = [...place, name];
    if (name === 'not') return [{ kind: 'not', filter: this.group(value, here, level + 1) }];
    if (name !== 'all' && name !== 'any') return this.property(name, value, here);
    if (!Array.isArray(value) || value.length === 0) {
      this.fail(here, 'Must be a list of filters.');
      return [];
    }
    const filters: Filter[] = [];
    for (const [index, item] of value.entries()) {
      if (this.isOver) break;
      filters.push(this.group(item, [...here, index], level + 1));
    }
    return [{ kind: name, filters }];
  }

  private property(name: string, value: unknown, place: Place): Filter[] {
    const property = this.attempt(place, () => parseProperty(name));
    if (!property) return [];
    const operators: [Place, string, unknown][] = isJsonObject(value)
      ? Object.entries(value).map(([operator, operand]) => [[...place, operator], operator, operand])
      : [[place, 'eq', value]];
    if (operators.length === 0) this.fail(place, 'Must have an operator, or be a value.');
    return operators.flatMap(([here, operator, operand]) => {
      if (++this.conditions === MAX_CONDITIONS + 1)
        this.fail(here, `More than ${MAX_CONDITIONS} conditions.`);
      if (this.isOver) return [];
      return this.attempt(here, () => condition(property, operator, operand)) ?? [];
    });
  }

  private attempt<Result>(place: Place, parse: () => Result): Result | undefined {
    try {
      return parse();
    } catch (error) {
      if (!(error instanceof FilterError)) throw error;
      this.fail(place, error.message);
      return undefined;
    }
  }

  private fail(place: Place, message: string): void {
    this.problems++;
    this.errors.add(place.join('.'), message);
  }
}

function condition(property: Property, operatorName: string, operand: unknown): Filter {
  const operator = operatorNamed(operatorName);
  const takesList = operator.operand === 'values' || operator.operand === 'bounds';
  if (takesList !== Array.isArray(operand))
    throw new FilterError(takesList ? 'Must be a list.' : 'Must be one value; a list is for `in`.');
  const values = (takesList ? operand : [operand]) as unknown[];
  if (!values.every(isScalar)) throw new FilterError('Must be a text, a number, true, false or null.');
  if (property.kind === 'field') {
    if (operator.operand === 'flag') throw new FilterError(ALWAYS_PRESENT);
    if (!values.every((value) => typeof value === 'string')) throw new FilterError('Must be a text.');
  }
  return toCondition(property, operator, values);
}

const isScalar = (value: unknown): value is Scalar =>
  value === null || ['string', 'number', 'boolean'].includes(typeof value);
