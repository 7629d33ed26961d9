import { storabilityViolation } from '../json/storable-text.js';
import { type Comparison, type Filter, FilterError, type Scalar } from './filter.js';

export const MAX_VALUES = 100;

export const ALWAYS_PRESENT = 'Every event has this field; `exists` is for paths inside `data`.';

/** The values that an operator takes. `text` is taken as it is in a query string, and is never read as a number. */
type Operand = 'value' | 'values' | 'text' | 'flag' | 'bound' | 'bounds';

export interface Operator {
  readonly operand: Operand;
  readonly description: string;
  /** @param values as many as the operand says, of its kind */
  readonly filter: <P>(property: P, values: readonly Scalar[]) => Filter<P>;
}

const not = <P>(filter: Filter<P>): Filter<P> => ({ kind: 'not', filter });

const oneOf = <P>(property: P, values: readonly Scalar[]): Filter<P> => ({ kind: 'in', property, values });

const compare =
  (kind: Comparison) =>
  <P>(property: P, [bound]: readonly Scalar[]): Filter<P> => ({
    kind,
    property,
    bound: bound as string | number,
  });

const match =
  (kind: 'contains' | 'begins') =>
  <P>(property: P, [text]: readonly Scalar[]): Filter<P> => ({ kind, property, text: text as string });

/** Every operator, by its name. */
export const OPERATORS = {
  eq: { operand: 'value', description: 'is equal, in type and value', filter: oneOf },
  not: {
    operand: 'value',
    description: 'is not equal, or absent',
    filter: (property, values) => not(oneOf(property, values)),
  },
  in: { operand: 'values', description: 'is one of a list', filter: oneOf },
  not_in: {
    operand: 'values',
    description: 'is none of a list, or absent',
    filter: (property, values) => not(oneOf(property, values)),
  },
  contains: { operand: 'text', description: 'is a text that contains another', filter: match('contains') },
  begins: { operand: 'text', description: 'is a text that begins with another', filter: match('begins') },
  exists: {
    operand: 'flag',
    description: 'has a value other than null, at the path or below it (true), or has none (false)',
    filter: <P>(property: P, [flag]: readonly Scalar[]): Filter<P> => {
      const exists: Filter<P> = { kind: 'exists', property };
      return flag === true ? exists : not(exists);
    },
  },
  gt: { operand: 'bound', description: 'is greater', filter: compare('gt') },
  gte: { operand: 'bound', description: 'is greater or equal', filter: compare('gte') },
  lt: { operand: 'bound', description: 'is less', filter: compare('lt') },
  lte: { operand: 'bound', description: 'is less or equal', filter: compare('lte') },
  between: {
    operand: 'bounds',
    description: 'is between two, or equal to one of them',
    filter: (property, [low, high]) => ({
      kind: 'all',
      filters: [compare('gte')(property, [low as Scalar]), compare('lte')(property, [high as Scalar])],
    }),
  },
} as const satisfies Readonly<Record<string, Operator>>;

export type OperatorName = keyof typeof OPERATORS;

export const OPERATOR_NAMES = Object.keys(OPERATORS) as OperatorName[];

/** @throws FilterError */
export function operatorNamed(name: string): Operator {
  if (!Object.hasOwn(OPERATORS, name))
    throw new FilterError(
      `There is no operator \`${name.slice(0, 40)}\`; use one of ${OPERATOR_NAMES.join(', ')}. A colon inside a key is written \`\\:\`.`,
    );
  return OPERATORS[name as OperatorName];
}

/**
 * A condition from values that are parsed.
 * @throws FilterError if the operator does not take them
 */
export function toCondition<P>(property: P, operator: Operator, values: readonly Scalar[]): Filter<P> {
  const violation =
    values.map((value) => scalarViolation(value)).find((found) => found !== undefined) ??
    operandViolation(operator.operand, values);
  if (violation !== undefined) throw new FilterError(violation);
  return operator.filter(property, values);
}

function scalarViolation(value: Scalar): string | undefined {
  if (typeof value === 'string') return storabilityViolation(value);
  if (typeof value === 'number' && !Number.isFinite(value)) return 'This number is too large.';
  return undefined;
}

function operandViolation(operand: Operand, values: readonly Scalar[]): string | undefined {
  const [first, second] = values;
  switch (operand) {
    case 'value':
      return undefined;
    case 'values':
      if (values.length === 0) return 'Must have at least one value.';
      return values.length > MAX_VALUES ? `Must have at most ${MAX_VALUES} values.` : undefined;
    case 'text':
      return typeof first === 'string' ? undefined : 'Must be a text.';
    case 'flag':
      return typeof first === 'boolean' ? undefined : 'Must be true or false.';
    case 'bound':
      return isBound(first) ? undefined : 'Must be a number or a text.';
    case 'bounds':
      if (values.length !== 2) return 'Must be two values, the lower one first.';
      if (!isBound(first) || typeof first !== typeof second) return 'Must be two numbers or two texts.';
      return undefined;
  }
}

const isBound = (value: Scalar | undefined): boolean =>
  typeof value === 'number' || typeof value === 'string';
