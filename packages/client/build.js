/*
 * Builds the client: an ES module and a CommonJS one, for Node and for everything else, and the script of GET /eye.js.
 * `--types` also writes the declarations, which takes seconds and which only the published package needs. `--copy FOLDER` copies
 * the script to where The Eye serves it from.
 */
import { build } from 'esbuild';
import { execFileSync } from 'node:child_process';
import { copyFile, cp, mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { parseArgs } from 'node:util';

const FOLDER = import.meta.dirname;

/** @type {import('esbuild').BuildOptions} */
const base = {
  absWorkingDir: FOLDER,
  bundle: true,
  define: { IS_SCRIPT: 'false' },
  minify: true,
  legalComments: 'none',
  logLevel: 'warning',
};

/** @type {import('esbuild').BuildOptions} */
const anywhere = { ...base, entryPoints: ['src/index.ts'], target: 'es2021' };

/** @type {import('esbuild').BuildOptions} */
const node = { ...base, entryPoints: ['src/node.ts'], platform: 'node', target: 'node18', minify: false };

await Promise.all([
  build({ ...anywhere, format: 'esm', outfile: 'dist/index.js' }),
  build({ ...anywhere, format: 'cjs', outfile: 'dist/index.cjs' }),
  build({ ...node, format: 'esm', outfile: 'dist/node.js' }),
  build({ ...node, format: 'cjs', outfile: 'dist/node.cjs' }),
  build({
    ...anywhere,
    entryPoints: ['src/script.ts'],
    define: { IS_SCRIPT: 'true' },
    // Names of our own that no platform has.
    mangleProps: /^(clockNoise|exclusively|leave|maxQueued|sender)$/,
    format: 'iife',
    outfile: 'dist/eye.js',
  }),
]);

const { values } = parseArgs({ options: { types: { type: 'boolean' }, copy: { type: 'string' } } });

if (values.copy !== undefined) {
  await mkdir(values.copy, { recursive: true });
  await copyFile(join(FOLDER, 'dist/eye.js'), join(values.copy, 'eye.js'));
}

if (values.types) {
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  execFileSync(execPath, [tsc, '-p', join(FOLDER, 'tsconfig.types.json')], { stdio: 'inherit' });
  // TypeScript takes declarations for those of a CommonJS module only where the nearest package.json says so.
  const types = join(FOLDER, 'dist/types');
  await cp(types, join(FOLDER, 'dist/types-cjs'), { recursive: true });
  await writeFile(join(FOLDER, 'dist/types-cjs/package.json'), '{ "type": "commonjs" }');
}
