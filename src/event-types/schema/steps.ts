import { _, type Ajv2020, type CodeKeywordDefinition, type KeywordCxt } from 'ajv/dist/2020.js';

/** The check of a payload takes more steps than it may. */
export class TooManyStepsError extends Error {}

/** Steps that the current check may still take. A check is synchronous, so there is one at a time. */
let remaining = Infinity;

/** Runs a check. @throws TooManyStepsError beyond `limit` */
export function withStepLimit<Result>(limit: number, check: () => Result): Result {
  remaining = limit;
  try {
    return check();
  } finally {
    remaining = Infinity;
  }
}

/** Counts steps of the current check. A step takes 0.16 µs in the worst case measured. */
export function countSteps(steps: number): void {
  remaining -= steps;
  if (remaining < 0) throw new TooManyStepsError();
}

/** Characters that `format`, `minLength` and `maxLength` read in one step. */
const CHARACTERS_PER_STEP = 50;

const textSteps = (text: string): void => {
  countSteps(text.length / CHARACTERS_PER_STEP);
};
const itemSteps = (items: unknown[], cost: number): void => {
  countSteps(items.length * cost);
};
/** Reading a key of a large object takes as long as two keywords. */
const KEY_STEPS = 2;
const keySteps = (object: object, cost: number): void => {
  countSteps(Object.keys(object).length * (KEY_STEPS + cost));
};

/** A branch that does not match makes an error, which takes as long as three more keywords. */
const BRANCH_STEPS = 3;
const branchSteps = (_value: unknown, cost: number): void => {
  countSteps(BRANCH_STEPS * cost);
};

/** The keywords whose work grows with the payload or exceeds their cost, by what they read of it. */
const COUNTED: ReadonlyMap<string, (value: never, cost: number) => void> = new Map(
  Object.entries({
    anyOf: branchSteps,
    oneOf: branchSteps,
    minLength: textSteps,
    maxLength: textSteps,
    format: textSteps,
    items: itemSteps,
    contains: itemSteps,
    unevaluatedItems: itemSteps,
    minProperties: keySteps,
    maxProperties: keySteps,
    propertyNames: keySteps,
    patternProperties: keySteps,
    additionalProperties: keySteps,
    unevaluatedProperties: keySteps,
  }),
);

/**
 * Makes the code that ajv generates count its steps before these keywords. The caller counts the cost of the whole schema
 * once; patterns and comparisons of values count their own steps.
 * @param costs of each schema in the schema: the steps of applying it to one item, property or name
 */
export function countStepsOf(ajv: Ajv2020, costs: ReadonlyMap<object, number>): void {
  const costOf = (value: unknown): number => costs.get(value as object) ?? 1;
  for (const [keyword, count] of COUNTED) {
    const definition = ajv.getKeyword(keyword) as CodeKeywordDefinition;
    const { code } = definition;
    definition.code = (context: KeywordCxt, type): void => {
      const { gen, data } = context;
      const schema: unknown = context.schema;
      const isMap = keyword === 'patternProperties';
      const schemas = isMap || Array.isArray(schema) ? Object.values(schema as object) : [schema];
      const cost = schemas.reduce<number>((sum, each) => sum + costOf(each), 0);
      gen.code(_`${gen.scopeValue('func', { ref: count })}(${data}, ${cost})`);
      code(context, type);
    };
  }
}
