import { compileSchema } from './compile-schema.js';
import type { PayloadSchema } from './payload-schema.js';
import { type SchemaCompiler, toPayloadSchema } from './schema-compiler.js';

/** Compiles a schema as SchemaCompiler does, without its thread. @throws SchemaError */
export const compiled = (schema: unknown): PayloadSchema =>
  toPayloadSchema(compileSchema(JSON.stringify(schema ?? null)));

/** A compiler that works at once. */
export const COMPILER: Pick<SchemaCompiler, 'compile'> = {
  compile: (_, schema) => Promise.resolve().then(() => compiled(schema)),
};
