import {
  _,
  type Ajv2020,
  type Code,
  type CodeKeywordDefinition,
  type KeywordCxt,
  type Name,
} from 'ajv/dist/2020.js';
import { areUnique, isEqual } from './equality.js';
import { STEP_COUNTERS } from './steps.js';

/** A function that generated code calls by its name in RUNTIME. By `ref`, ajv distinguishes them. */
interface RuntimeFunction {
  readonly ref: unknown;
  readonly code: Code;
}

/** The code of a JSON value. As an object literal, one with the key `__proto__` would be another value. */
const literal = (value: unknown): Code => _`JSON.parse(${JSON.stringify(value)})`;

/** The name of a JSON value of a schema. */
const constant = ({ gen, schema }: Pick<KeywordCxt, 'gen' | 'schema'>): Name =>
  gen.scopeValue('obj', { ref: schema, code: literal(schema) });

const EQUALITY_KEYWORDS: CodeKeywordDefinition[] = [
  {
    keyword: 'const',
    code: (context: KeywordCxt): void => {
      const equal = context.gen.scopeValue('func', { ref: isEqual, code: _`runtime.isEqual` });
      context.fail(_`!${equal}(${context.data}, ${constant(context)})`);
    },
    error: {
      message: 'must be equal to constant',
      params: (context) => _`{allowedValue: ${constant(context)}}`,
    },
  },
  {
    keyword: 'enum',
    schemaType: 'array',
    code: (context: KeywordCxt): void => {
      const allowed = context.schema as unknown[];
      const isAllowed = context.gen.scopeValue('func', {
        ref: allowed,
        code: _`runtime.isOneOf(${literal(allowed)})`,
      });
      context.fail(_`!${isAllowed}(${context.data})`);
    },
    error: {
      message: 'must be equal to one of the allowed values',
      params: (context) => _`{allowedValues: ${constant(context)}}`,
    },
  },
  {
    keyword: 'uniqueItems',
    type: 'array',
    schemaType: 'boolean',
    code: (context: KeywordCxt): void => {
      if (context.schema !== true) return;
      const unique = context.gen.scopeValue('func', { ref: areUnique, code: _`runtime.areUnique` });
      context.fail(_`!${unique}(${context.data})`);
    },
    error: { message: 'must NOT have duplicate items' },
  },
];

/** Replaces the keywords of ajv that compare values. */
export function replaceEqualityKeywords(ajv: Ajv2020): void {
  for (const definition of EQUALITY_KEYWORDS)
    ajv.removeKeyword(String(definition.keyword)).addKeyword(definition);
}

const branches: RuntimeFunction = { ref: STEP_COUNTERS.branchSteps, code: _`runtime.branchSteps` };
const texts: RuntimeFunction = { ref: STEP_COUNTERS.textSteps, code: _`runtime.textSteps` };
const items: RuntimeFunction = { ref: STEP_COUNTERS.itemSteps, code: _`runtime.itemSteps` };
const keys: RuntimeFunction = { ref: STEP_COUNTERS.keySteps, code: _`runtime.keySteps` };

/** The keywords whose work grows with the payload or exceeds their cost, by what they read of it. */
const COUNTED: ReadonlyMap<string, RuntimeFunction> = new Map(
  Object.entries({
    anyOf: branches,
    oneOf: branches,
    minLength: texts,
    maxLength: texts,
    format: texts,
    items,
    contains: items,
    unevaluatedItems: items,
    minProperties: keys,
    maxProperties: keys,
    propertyNames: keys,
    patternProperties: keys,
    additionalProperties: keys,
    unevaluatedProperties: keys,
  }),
);

/**
 * Makes the code that ajv generates count its steps before these keywords. The caller counts the cost of the whole schema
 * once; patterns and comparisons of values count their own steps.
 * @param costs of each schema in the schema: the steps of applying it to one item, property or name
 */
export function countStepsOf(ajv: Ajv2020, costs: ReadonlyMap<object, number>): void {
  const costOf = (value: unknown): number => costs.get(value as object) ?? 1;
  for (const [keyword, counter] of COUNTED) {
    const definition = ajv.getKeyword(keyword) as CodeKeywordDefinition;
    const { code } = definition;
    definition.code = (context: KeywordCxt, type): void => {
      const { gen, data } = context;
      const schema: unknown = context.schema;
      const isMap = keyword === 'patternProperties';
      const schemas = isMap || Array.isArray(schema) ? Object.values(schema as object) : [schema];
      const cost = schemas.reduce<number>((sum, each) => sum + costOf(each), 0);
      gen.code(_`${gen.scopeValue('func', counter)}(${data}, ${cost})`);
      code(context, type);
    };
  }
}
