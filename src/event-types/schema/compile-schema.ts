// First, as in main.ts: a thread has a JSON.parse of its own.
import '../../platform/json/json-parse.js';
import { _, Ajv2020, type ErrorObject } from 'ajv/dist/2020.js';
import standalone from 'ajv/dist/standalone/index.js';
import type { FieldErrors } from '../../platform/errors/domain-error.js';
import { isJsonObject } from '../../platform/json/json-object.js';
import { formats } from './formats.js';
import { countStepsOf, replaceEqualityKeywords } from './keywords.js';
import { MAX_MESSAGES, segmentsOf } from './messages.js';
import { compilePattern } from './patterns.js';
import { type CompiledCode, compileCode } from './runtime.js';
import { inspectSchema, MAX_SCHEMA_BYTES } from './schema-safety.js';

/** A schema as JavaScript. */
export interface CompiledSchema {
  /** Stops at the first violation. */
  readonly first: CompiledCode;
  /** Finds all violations. */
  readonly all: CompiledCode;
  /** The steps of checking a value without its items or properties. */
  readonly cost: number;
  /** The sources of its patterns, which cannot leave the thread. */
  readonly patterns: readonly string[];
}

/** Messages by path, e.g. `schema.properties.url.pattern`, if it cannot be used. */
export type Compilation = CompiledSchema | { readonly errors: FieldErrors };

/**
 * Strict about keywords, so that a misspelt one is not ignored; not about style, which draft 2020-12 leaves free
 * (`required` without `properties`, several types). ajv never changes an event: no defaults, no coercion.
 */
const OPTIONS = {
  strictSchema: true,
  strictTypes: false,
  strictTuples: false,
  strictRequired: false,
  allowMatchingProperties: true,
  // Otherwise every event would have the property `toString`.
  ownProperties: true,
  // With doubles alone, 19.99 would not be a multiple of 0.01.
  multipleOfPrecision: 9,
  // compileSchema() validates the schema.
  meta: false,
  validateSchema: false,
  logger: false,
  code: {
    regExp: Object.assign((pattern: string) => compilePattern(pattern), { code: 'runtime.compilePattern' }),
    formats: _`runtime.formats`,
    // V8 optimises the generated code as well, and ajv's own optimisation takes seconds for large schemas.
    optimize: false,
    source: true,
  },
} as const;

/** ajv is a CommonJS module whose types describe an ES module; at run time the import is the function itself. */
const toSource = standalone as unknown as typeof standalone.default;

const metaSchema = new Ajv2020({ logger: false });

/**
 * Compiles a JSON Schema (draft 2020-12), which takes hundreds of milliseconds for the largest: SchemaCompiler calls this in a
 * thread.
 * @param text compact JSON
 */
export function compileSchema(text: string): Compilation {
  if (Buffer.byteLength(text) > MAX_SCHEMA_BYTES)
    return { errors: { schema: [`Must not exceed ${MAX_SCHEMA_BYTES} bytes as compact JSON.`] } };
  const source: unknown = JSON.parse(text);
  if (!isJsonObject(source)) return { errors: { schema: ['Must be a JSON object.'] } };
  const { errors, costs, patterns } = inspectSchema(source);
  if (Object.keys(errors).length > 0) return { errors: { ...errors } };
  try {
    if (metaSchema.validateSchema(source) !== true) return { errors: toErrors(metaSchema.errors ?? []) };
    // Both are checked by now, and ajv would look up the schemas that they name.
    const schema = { ...source };
    delete schema['$id'];
    delete schema['$schema'];
    return {
      first: compileCode(generate(schema, costs, false)),
      all: compileCode(generate(schema, costs, true)),
      cost: costs.get(source) ?? 0,
      patterns: [...patterns],
    };
  } catch (error) {
    return { errors: { schema: [`Cannot be compiled: ${(error as Error).message}.`] } };
  }
}

/** Uses an instance of ajv of its own, since an instance keeps all that it has ever compiled. */
function generate(schema: object, costs: ReadonlyMap<object, number>, allErrors: boolean): string {
  const ajv = new Ajv2020({ ...OPTIONS, formats, allErrors });
  // ajv resolves anchors, but in strict mode rejects their keyword as unknown.
  ajv.addKeyword('$anchor');
  replaceEqualityKeywords(ajv);
  countStepsOf(ajv, costs);
  return toSource(ajv, ajv.compile(schema));
}

/** The violations of the meta-schema, by path. */
function toErrors(violations: readonly ErrorObject[]): FieldErrors {
  const errors: FieldErrors = {};
  for (const { instancePath, message } of violations.slice(0, MAX_MESSAGES))
    (errors[['schema', ...segmentsOf(instancePath)].join('.')] ??= []).push(message ?? 'Is invalid.');
  return errors;
}
