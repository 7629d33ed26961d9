import type { ValidateFunction } from 'ajv';
import type { FieldErrors } from '../../platform/errors/domain-error.js';
import type { CompiledSchema } from './compile-schema.js';
import { toMessages } from './messages.js';
import type { Pattern } from './patterns.js';
import { type CompiledCode, toFunction } from './runtime.js';
import { countSteps, TooManyStepsError, withStepLimit } from './steps.js';

/** Steps of checking one payload: 32 ms in the worst case measured. */
export const MAX_STEPS = 200_000;

/** Steps up to which every violation is reported, since each costs memory; beyond, only the first is. */
const MAX_EXPLAINED_STEPS = 25_000;

/** A JSON Schema (draft 2020-12) for the payloads of a type. Made by SchemaCompiler. */
export class PayloadSchema {
  /** Its memory, approximately. */
  readonly bytes: number;
  private readonly validate: ValidateFunction;
  /** Made when the first violation must be explained. */
  private validateAll: ValidateFunction | undefined;
  private readonly all: CompiledCode;
  private readonly cost: number;

  constructor(
    { first, all, cost }: CompiledSchema,
    private readonly patterns: ReadonlyMap<string, Pattern>,
  ) {
    this.bytes = [first, all].reduce((sum, { text, cachedData }) => sum + text.length + cachedData.length, 0);
    this.validate = toFunction(first, patterns);
    this.all = all;
    this.cost = cost;
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
    this.validateAll ??= toFunction(this.all, this.patterns);
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
}
