import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { type FieldErrors, InvalidFieldsError } from '../../platform/errors/domain-error.js';
import { isJsonObject } from '../../platform/json/json-object.js';
import { replaceEqualityKeywords } from './equality.js';
import { addFormats, FORMAT_OPTIONS } from './formats.js';
import { MAX_MESSAGES, segmentsOf, toMessages } from './messages.js';
import { compilePattern } from './patterns.js';
import { inspectSchema, MAX_SCHEMA_BYTES } from './schema-safety.js';
import { countSteps, countStepsOf, TooManyStepsError, withStepLimit } from './steps.js';

/** Steps of checking one payload: 32 ms in the worst case measured. */
export const MAX_STEPS = 200_000;

/** Steps up to which every violation is reported, since each costs memory; beyond, only the first is. */
const MAX_EXPLAINED_STEPS = 25_000;

/** The schema is invalid or unsafe. Its errors are messages by path, e.g. `schema.properties.url.pattern`. */
export class SchemaError extends InvalidFieldsError {
  constructor(errors: FieldErrors) {
    super(errors, 'The schema cannot be used.');
  }
}

const regExp = Object.assign((pattern: string) => compilePattern(pattern), { code: 'compilePattern' });

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
  // The constructor of PayloadSchema validates the schema.
  meta: false,
  validateSchema: false,
  logger: false,
  // V8 optimises the generated code as well, and ajv's own optimisation takes seconds for large schemas.
  code: { regExp, optimize: false },
} as const;

const metaSchema = new Ajv2020({ logger: false });

/** A compiled JSON Schema (draft 2020-12) for the payloads of a type. */
export class PayloadSchema {
  private readonly schema: Record<string, unknown>;
  /** Stops at the first violation. */
  private readonly validate: ValidateFunction;
  /** Finds all violations; compiled when the first one must be explained. */
  private validateAll: ValidateFunction | undefined;
  /** The steps of checking a value without its items or properties, of the schema and of each schema in it. */
  private readonly costs: ReadonlyMap<object, number>;
  private readonly cost: number;

  /**
   * @param source a JSON value
   * @throws SchemaError when it is not a schema, or not safe to run on every event
   */
  constructor(source: unknown) {
    if (!isJsonObject(source)) throw new SchemaError({ schema: ['Must be a JSON object.'] });
    if (Buffer.byteLength(JSON.stringify(source)) > MAX_SCHEMA_BYTES)
      throw new SchemaError({ schema: [`Must not exceed ${MAX_SCHEMA_BYTES} bytes as compact JSON.`] });
    const { errors, costs } = inspectSchema(source);
    if (Object.keys(errors).length > 0) throw new SchemaError(errors);
    if (metaSchema.validateSchema(source) !== true) throw new SchemaError(toErrors(metaSchema.errors ?? []));
    // Both are checked by now, and ajv would look up the schemas that they name.
    const schema = { ...source };
    delete schema['$id'];
    delete schema['$schema'];
    this.schema = schema;
    this.costs = costs;
    this.cost = costs.get(source) ?? 0;
    try {
      this.validate = this.compile(false);
      // V8 compiles a function at its first call and may find only then that it is nested too deep.
      this.validate({});
    } catch (error) {
      throw new SchemaError({ schema: [`Cannot be compiled: ${(error as Error).message}.`] });
    }
  }

  /** The violations of a payload, by path; undefined for one that matches. One that takes too many steps to check does not match. */
  explain(data: unknown): FieldErrors | undefined {
    const outcome = this.run(this.validate, data, MAX_STEPS);
    if (outcome === 'valid') return undefined;
    if (outcome === 'too many steps')
      return {
        data: [
          `Takes more than ${MAX_STEPS.toLocaleString('en')} steps to check: it has too many values, or too long ones, ` +
            'for the schema of its type.',
        ],
      };
    this.validateAll ??= this.compile(true);
    const isExplained = this.run(this.validateAll, data, MAX_EXPLAINED_STEPS) === 'invalid';
    const errors = toMessages((isExplained ? this.validateAll : this.validate).errors ?? [], data);
    // Otherwise the functions would hold them in memory until their next calls.
    this.validateAll.errors = this.validate.errors = null;
    return errors;
  }

  private run(
    validate: ValidateFunction,
    data: unknown,
    maxSteps: number,
  ): 'valid' | 'invalid' | 'too many steps' {
    try {
      return withStepLimit(maxSteps, () => {
        countSteps(this.cost);
        return validate(data);
      })
        ? 'valid'
        : 'invalid';
    } catch (error) {
      if (error instanceof TooManyStepsError) return 'too many steps';
      throw error;
    }
  }

  /** Uses an instance of ajv of its own, since an instance keeps all that it has ever compiled. */
  private compile(allErrors: boolean): ValidateFunction {
    const ajv = new Ajv2020({ ...OPTIONS, allErrors });
    // ajv resolves anchors, but in strict mode rejects their keyword as unknown.
    ajv.addKeyword('$anchor');
    replaceEqualityKeywords(ajv);
    countStepsOf(ajv, this.costs);
    return addFormats(ajv, FORMAT_OPTIONS).compile(this.schema);
  }
}

/** The violations of the meta-schema, by path. */
function toErrors(violations: readonly ErrorObject[]): FieldErrors {
  const errors: FieldErrors = {};
  for (const { instancePath, message } of violations.slice(0, MAX_MESSAGES))
    (errors[['schema', ...segmentsOf(instancePath)].join('.')] ??= []).push(message ?? 'Is invalid.');
  return errors;
}
