import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import type { FieldErrors } from '../../platform/http/problem.js';
import { isJsonObject } from '../../platform/json/json-object.js';
import { LARGEST_SCHEMA, unsafetyOf } from './check-schema.js';
import { compareExactly } from './equality.js';
import { addFormats, FORMAT_OPTIONS } from './formats.js';
import { toMessages } from './messages.js';
import { compilePattern } from './patterns.js';

/** Bytes of a payload about which everything is said; of larger ones only the first thing. */
const EXPLAINED_PAYLOAD = 8 * 1024;

/** Bytes of the payload times bytes of the schema, up to which everything is said: some errors for every thirty. */
const EXPLAINED_WORK = 20_000_000;

/** The schema cannot be used; says why, by path. */
export class SchemaError extends Error {
  constructor(readonly errors: FieldErrors) {
    super(
      Object.entries(errors)
        .map(([path, messages]) => `${path}: ${messages.join(' ')}`)
        .join(' '),
    );
  }
}

const regExp = Object.assign((pattern: string) => compilePattern(pattern), { code: 'compilePattern' });

/**
 * Strict about keywords, which a schema that allows everything by a slip needs; not about style, which draft 2020-12
 * leaves free (`required` without `properties`, two types). Never changes an event: no defaults, no coercion.
 */
const OPTIONS = {
  strictSchema: true,
  strictTypes: false,
  strictTuples: false,
  strictRequired: false,
  allowMatchingProperties: true,
  // `toString` is a property of an event only where the event has it.
  ownProperties: true,
  // 19.99 is a multiple of 0.01, which doubles alone do not see.
  multipleOfPrecision: 9,
  // The meta-schema has been asked before.
  meta: false,
  validateSchema: false,
  logger: false,
  // What ajv saves at run time V8 saves as well; in large schemas looking for it takes seconds.
  code: { regExp, optimize: false },
} as const;

const metaSchema = new Ajv2020({ logger: false });

/** A JSON Schema (draft 2020-12) for the payloads of a type, ready to be asked many times a second. */
export class PayloadSchema {
  private readonly schema: Record<string, unknown> = {};
  private readonly verdict: ValidateFunction;
  private words: ValidateFunction | undefined;
  private readonly size: number;

  /**
   * @param source a JSON value; a schema is safe to run on every event, or it is refused
   * @throws SchemaError
   */
  constructor(source: unknown) {
    if (!isJsonObject(source)) throw new SchemaError({ schema: ['Must be a JSON object.'] });
    this.size = Buffer.byteLength(JSON.stringify(source));
    if (this.size > LARGEST_SCHEMA)
      throw new SchemaError({ schema: [`Must not exceed ${LARGEST_SCHEMA} bytes as compact JSON.`] });
    const unsafety = unsafetyOf(source);
    if (Object.keys(unsafety).length > 0) throw new SchemaError(unsafety);
    if (metaSchema.validateSchema(source) !== true) throw new SchemaError(notASchema(metaSchema.errors));
    // They say what it is, which is known by now, and ajv would look for what they name.
    const { schema } = this;
    Object.assign(schema, source);
    delete schema['$id'];
    delete schema['$schema'];
    try {
      this.verdict = compile(schema, false);
      // V8 compiles a function at its first call, and may find only then that it nests too deep.
      this.verdict({});
    } catch (error) {
      throw new SchemaError({ schema: [`Cannot be compiled: ${(error as Error).message}.`] });
    }
  }

  /** Whether a payload fits. */
  fits(data: unknown): boolean {
    return this.verdict(data);
  }

  /** What stands against a payload that does not fit. */
  explain(data: unknown): FieldErrors {
    const length = JSON.stringify(data).length;
    const validate =
      length <= EXPLAINED_PAYLOAD && length * this.size <= EXPLAINED_WORK
        ? (this.words ??= compile(this.schema, true))
        : this.verdict;
    validate(data);
    const errors = toMessages(validate.errors ?? [], data);
    // They would stay with the function until its next call, however many they are.
    validate.errors = null;
    return errors;
  }
}

/** With an ajv of its own, since one keeps all that it has ever compiled. */
function compile(schema: Record<string, unknown>, allErrors: boolean): ValidateFunction {
  const ajv = new Ajv2020({ ...OPTIONS, allErrors });
  // Ajv resolves it, and does not know it as a keyword.
  ajv.addKeyword('$anchor');
  compareExactly(ajv);
  return addFormats(ajv, FORMAT_OPTIONS).compile(schema);
}

/** What the meta-schema says, by path. */
function notASchema(found: ErrorObject[] | null | undefined): FieldErrors {
  const errors: FieldErrors = {};
  for (const { instancePath, message } of (found ?? []).slice(0, 20))
    (errors[`schema${instancePath.replaceAll('/', '.').replaceAll('~1', '/').replaceAll('~0', '~')}`] ??=
      []).push(message ?? 'Is not valid.');
  return errors;
}
