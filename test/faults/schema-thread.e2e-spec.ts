import type { Piscina } from 'piscina';
import { join } from 'node:path';

type Compiler = import('../../src/event-types/schema/schema-compiler.js').SchemaCompiler;

/** The built module, whose thread runs another built module. */
const BUILT = join(import.meta.dirname, '../../dist/event-types/schema/schema-compiler.js');

/** A schema that takes a tenth of a second to compile. */
const large = (name: string): object => ({
  properties: { [name]: { anyOf: Array.from({ length: 500 }, (_, index) => ({ const: index })) } },
});

describe('The thread that compiles schemas', () => {
  let compiler: Compiler;

  beforeEach(async () => {
    const { SchemaCompiler } = (await import(BUILT)) as { SchemaCompiler: new () => Compiler };
    compiler = new SchemaCompiler();
  });
  afterEach(() => compiler.onApplicationShutdown());

  it('gives applications their turns one after the other', async () => {
    const done: string[] = [];
    const compile = async (application: string, name: string): Promise<void> => {
      const schema = await compiler.compile(application, large(name));
      expect(schema.explain({ [name]: 499 })).toBeUndefined();
      expect(schema.explain({ [name]: 500 })).toBeDefined();
      done.push(`${application} ${name}`);
    };
    await Promise.all([
      compile('shop', 'a'),
      compile('shop', 'b'),
      compile('shop', 'c'),
      compile('blog', 'a'),
    ]);
    expect(done).toEqual(['shop a', 'blog a', 'shop b', 'shop c']);
  });

  it('refuses a schema of an application of which too many wait', async () => {
    const waiting = ['a', 'b'].map((name) => compiler.compile('shop', large(name), 1));
    await expect(compiler.compile('shop', large('c'), 1)).rejects.toMatchObject({
      kind: 'unavailable',
      code: 'busy',
    });
    await compiler.compile('blog', { type: 'object' }, 1);
    await Promise.all(waiting);
  });

  it('names what is wrong with a schema, also if it is nested deeper than the stack of the main thread allows', async () => {
    await expect(compiler.compile('shop', { type: 'text' })).rejects.toMatchObject({
      errors: { 'schema.type': expect.arrayContaining([expect.any(String)]) },
    });
    const nested = { allOf: Array.from({ length: 1900 }, () => ({ minimum: 0 })) };
    await expect(compiler.compile('shop', nested)).rejects.toMatchObject({
      errors: { schema: [expect.stringMatching(/^Cannot be compiled: .*stack/)] },
    });
  });

  it('is replaced when it has died', async () => {
    await compiler.compile('shop', {});
    const interrupted = compiler.compile('shop', large('a'));
    const pool = await (compiler as unknown as { pool: Promise<Piscina> }).pool;
    await pool.threads[0]?.terminate();
    await expect(interrupted).rejects.toMatchObject({ kind: 'unavailable', code: 'busy' });
    expect((await compiler.compile('shop', { required: ['a'] })).explain({})).toEqual({
      'data.a': ['is required'],
    });
  });
});
