import type { ValidateFunction } from 'ajv';
import ucs2length from 'ajv/dist/runtime/ucs2length.js';
import { Script } from 'node:vm';
import { areUnique, isEqual, isOneOf } from './equality.js';
import { formats } from './formats.js';
import { compilePattern, type Pattern } from './patterns.js';
import { STEP_COUNTERS } from './steps.js';

/** What the code of a compiled schema calls, by the names that keywords.ts and compile-schema.ts give it. */
const RUNTIME = { ...STEP_COUNTERS, areUnique, compilePattern, formats, isEqual, isOneOf };

/** Characters of the code of a function. References repeat what they refer to. */
const MAX_LENGTH = 2 * 1024 ** 2;

/** The modules of ajv that the code of a compiled schema requires, in the form of a CommonJS module, which a bundler unwraps. */
const MODULES: ReadonlyMap<string, unknown> = new Map([
  ['ajv/dist/runtime/ucs2length', 'default' in ucs2length ? ucs2length : { default: ucs2length }],
]);

/** The code of a function that checks payloads, as V8 has compiled it in another thread. */
export interface CompiledCode {
  readonly text: string;
  /** With it, V8 neither parses nor compiles the text again. */
  readonly cachedData: Uint8Array;
}

/**
 * @param module the text of a CommonJS module that requires `ajv` and calls the functions of `runtime`
 * @throws Error if it is too long or nested too deep
 */
export function compileCode(module: string): CompiledCode {
  if (module.length > MAX_LENGTH)
    throw new Error(
      `its code has ${module.length.toLocaleString('en')} characters, of which ${MAX_LENGTH.toLocaleString('en')} are allowed`,
    );
  const text = `(function(module,require,runtime){${module}})`;
  const script = new Script(text);
  // V8 compiles a function at its first call, and may find only then that it is nested too deep.
  load(script, RUNTIME)({});
  return { text, cachedData: script.createCachedData() };
}

/**
 * Makes the function that checks a payload, without ajv.
 * @param patterns of the schema, compiled already
 */
export function toFunction(
  { text, cachedData }: CompiledCode,
  patterns: ReadonlyMap<string, Pattern>,
): ValidateFunction {
  return load(new Script(text, { cachedData }), {
    ...RUNTIME,
    compilePattern: (source: string) => patterns.get(source),
  });
}

function load(script: Script, runtime: object): ValidateFunction {
  const module: { exports?: ValidateFunction } = {};
  const define = script.runInThisContext() as (...values: unknown[]) => void;
  define(module, requireModule, runtime);
  if (!module.exports) throw new Error('The code of a schema exports nothing.');
  return module.exports;
}

function requireModule(name: string): unknown {
  if (!MODULES.has(name)) throw new Error(`The code of a schema requires ${name}, which is not provided.`);
  return MODULES.get(name);
}
