import { compileSchema } from './compile-schema.js';
import { compilePattern } from './patterns.js';
import { PayloadSchema } from './payload-schema.js';
import { type SchemaCompiler, SchemaError } from './schema-compiler.js';

/** Compiles a schema as SchemaCompiler does, without its thread. @throws SchemaError */
export function compiled(schema: unknown): PayloadSchema {
  const compilation = compileSchema(JSON.stringify(schema ?? null));
  if ('errors' in compilation) throw new SchemaError(compilation.errors);
  const patterns = compilation.patterns.map((source) => [source, compilePattern(source)] as const);
  return new PayloadSchema(compilation, new Map(patterns));
}

/** A compiler that works at once. */
export const COMPILER: Pick<SchemaCompiler, 'compile'> = {
  compile: (_, schema) => Promise.resolve().then(() => compiled(schema)),
};
