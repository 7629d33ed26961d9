import type { FieldErrors } from '../errors/domain-error.js';
import { endOfString, isExact } from '../json/exact-json.js';
import { type Filter, FILTER_FIELDS, FilterError, type Scalar } from './filter.js';
import { ALWAYS_PRESENT, type Operator, operatorNamed, toCondition } from './operators.js';
import { parseQualifiedName } from './property-name.js';

export const MAX_CONDITIONS = 30;

/** A parameter that is a condition: a path, or a field with an operator. A field alone is a parameter like any other. */
const CONDITION = new RegExp(`^(?:data(?:[.:].*)?|(?:${FILTER_FIELDS.join('|')}):.*)$`, 's');

export const isCondition = (parameter: string): boolean => CONDITION.test(parameter);

/** A number as JSON has it. */
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

const WORDS: ReadonlyMap<string, Scalar> = new Map<string, Scalar>([
  ['true', true],
  ['false', false],
  ['null', null],
]);

/** Collects what is wrong with parameters, by their names. */
export class ParameterErrors {
  readonly errors: FieldErrors = {};

  get any(): boolean {
    return Object.keys(this.errors).length > 0;
  }

  add(parameter: string, message: string): void {
    // Not by assignment, which is a different thing for `__proto__`.
    Object.defineProperty(this.errors, parameter, {
      value: [message],
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
}

/**
 * Parses the conditions of a query string; all of them must be met.
 *
 * `data.path=/checkout` is equality with a text, whatever it looks like. An operator stands behind a colon:
 * `data.price:gte=10`. Its value is a number, `true`, `false` or `null` if it looks like one in JSON, a JSON text if it begins
 * with a double quote, and otherwise the text itself. Lists have commas. Fields are texts, and so are their values.
 *
 * @param parameters those for which `isCondition()` is true
 */
export function parseQueryFilter(
  parameters: Readonly<Record<string, unknown>>,
  errors: ParameterErrors,
): Filter {
  const names = Object.keys(parameters);
  const filters: Filter[] = [];
  for (const [index, name] of names.entries()) {
    try {
      if (index === MAX_CONDITIONS) throw new FilterError(`More than ${MAX_CONDITIONS} conditions.`);
      const value = parameters[name];
      if (typeof value !== 'string') throw new FilterError('Must be given once.');
      filters.push(parseCondition(name, value));
    } catch (error) {
      if (!(error instanceof FilterError)) throw error;
      errors.add(name, error.message);
      if (index === MAX_CONDITIONS) break;
    }
  }
  return { kind: 'all', filters };
}

/** @throws FilterError */
export function parseCondition(name: string, value: string): Filter {
  const { property, operator: operatorName } = parseQualifiedName(name);
  if (operatorName === undefined) return toCondition(property, operatorNamed('eq'), [value]);
  const operator = operatorNamed(operatorName);
  const isText = property.kind === 'field';
  if (isText && operator.operand === 'flag') throw new FilterError(ALWAYS_PRESENT);
  return toCondition(property, operator, parseOperand(operator, value, isText));
}

/**
 * The values of an operator.
 * @param isText whether its property is a text, so that a value is never read as a number
 * @throws FilterError
 */
export function parseOperand({ operand }: Operator, value: string, isText: boolean): Scalar[] {
  switch (operand) {
    case 'values':
    case 'bounds':
      return parseList(value, isText);
    case 'text':
      return [parseText(value)];
    case 'flag':
      return [WORDS.get(value) ?? value];
    case 'value':
    case 'bound':
      return [parseScalar(value, isText)];
  }
}

function parseScalar(text: string, isText: boolean): Scalar {
  if (text.startsWith('"') || isText) return parseText(text);
  if (WORDS.has(text)) return WORDS.get(text) as Scalar;
  return NUMBER.test(text) ? parseNumber(text) : text;
}

function parseNumber(text: string): number {
  const number = Number(text);
  // Minus zero is not exact, because its sign is lost, but it is equal to zero.
  if (number !== 0 && !isExact(text))
    throw new FilterError(`No event has the number ${text.slice(0, 40)}: it has more digits than a double.`);
  return number === 0 ? 0 : number;
}

/** A text as it is, or a JSON text in double quotes. */
function parseText(text: string): string {
  if (!text.startsWith('"')) return text;
  const end = text.length > 1 ? endOfText(text, 0) : undefined;
  const value = end === text.length - 1 ? unquoted(text) : undefined;
  if (value === undefined)
    throw new FilterError('A value that begins with a double quote must be a JSON text, such as "42".');
  return value;
}

/** The index of the closing quote, or undefined. */
function endOfText(text: string, start: number): number | undefined {
  // endOfString() needs valid JSON.
  const end = endOfString(`${text}"`, start);
  return end > start && end < text.length ? end : undefined;
}

function unquoted(text: string): string | undefined {
  try {
    return JSON.parse(text) as string;
  } catch {
    return undefined;
  }
}

function parseList(text: string, isText: boolean): Scalar[] {
  const values: Scalar[] = [];
  for (let at = 0; at <= text.length;) {
    let end = text.indexOf(',', at);
    if (text[at] === '"') {
      const close = endOfText(text, at);
      end = close === undefined ? -1 : close + 1;
      if (end !== -1 && end < text.length && text[end] !== ',')
        throw new FilterError('A comma must follow a text in double quotes.');
    }
    if (end === -1) end = text.length;
    const item = text.slice(at, end);
    if (item === '') throw new FilterError('A value of the list is empty; write "" for the empty text.');
    values.push(parseScalar(item, isText));
    at = end + 1;
  }
  return values;
}
