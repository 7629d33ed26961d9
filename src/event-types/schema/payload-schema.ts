import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { type FieldErrors, InvalidFieldsError } from '../../platform/errors/domain-error.js';
import { isJsonObject } from '../../platform/json/json-object.js';
import { replaceEqualityKeywords } from './equality.js';
import { addFormats, FORMAT_OPTIONS } from './formats.js';
import { MAX_MESSAGES, segmentsOf, toMessages } from './messages.js';
import { compilePattern } from './patterns.js';
import { findUnsafeParts, MAX_SCHEMA_BYTES } from './schema-safety.js';

/** Characters of a payload's JSON text up to which every violation is reported; of a longer one only the first. */
const MAX_EXPLAINED_CHARACTERS = 8 * 1024;

/** These characters times the bytes of the schema: it bounds the number of violations, each of which costs memory. */
const MAX_EXPLAINED_WORK = 20_000_000;

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
  private readonly bytes: number;

  /**
   * @param source a JSON value
   * @throws SchemaError when it is not a schema, or not safe to run on every event
   */
  constructor(source: unknown) {
    if (!isJsonObject(source)) throw new SchemaError({ schema: ['Must be a JSON object.'] });
    this.bytes = Buffer.byteLength(JSON.stringify(source));
    if (this.bytes > MAX_SCHEMA_BYTES)
      throw new SchemaError({ schema: [`Must not exceed ${MAX_SCHEMA_BYTES} bytes as compact JSON.`] });
    const unsafeParts = findUnsafeParts(source);
    if (Object.keys(unsafeParts).length > 0) throw new SchemaError(unsafeParts);
    if (metaSchema.validateSchema(source) !== true) throw new SchemaError(toErrors(metaSchema.errors ?? []));
    // Both are checked by now, and ajv would look up the schemas that they name.
    const schema = { ...source };
    delete schema['$id'];
    delete schema['$schema'];
    this.schema = schema;
    try {
      this.validate = compile(schema, false);
      // V8 compiles a function at its first call and may find only then that it is nested too deep.
      this.validate({});
    } catch (error) {
      throw new SchemaError({ schema: [`Cannot be compiled: ${(error as Error).message}.`] });
    }
  }

  /** Whether a payload matches the schema. */
  fits(data: unknown): boolean {
    return this.validate(data);
  }

  /** The violations of a payload that does not match, by path. */
  explain(data: unknown): FieldErrors {
    const length = JSON.stringify(data).length;
    const validate =
      length <= MAX_EXPLAINED_CHARACTERS && length * this.bytes <= MAX_EXPLAINED_WORK
        ? (this.validateAll ??= compile(this.schema, true))
        : this.validate;
    validate(data);
    const errors = toMessages(validate.errors ?? [], data);
    // Otherwise the function would hold them in memory until its next call.
    validate.errors = null;
    return errors;
  }
}

/** Uses an instance of ajv of its own, since an instance keeps all that it has ever compiled. */
function compile(schema: Record<string, unknown>, allErrors: boolean): ValidateFunction {
  const ajv = new Ajv2020({ ...OPTIONS, allErrors });
  // ajv resolves anchors, but in strict mode rejects their keyword as unknown.
  ajv.addKeyword('$anchor');
  replaceEqualityKeywords(ajv);
  return addFormats(ajv, FORMAT_OPTIONS).compile(schema);
}

/** The violations of the meta-schema, by path. */
function toErrors(violations: readonly ErrorObject[]): FieldErrors {
  const errors: FieldErrors = {};
  for (const { instancePath, message } of violations.slice(0, MAX_MESSAGES))
    (errors[['schema', ...segmentsOf(instancePath)].join('.')] ??= []).push(message ?? 'Is invalid.');
  return errors;
}
