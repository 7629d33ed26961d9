import { existsSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');
const INSTALLED = join(ROOT, 'node_modules');
const BUNDLED = join(ROOT, 'dist/node_modules');

/** A package or a module of one, not a path and not `node:fs`. */
const PACKAGE = /^(@[^/]+\/)?[a-z][^:]*$/;

/**
 * Our own files import the packages that the built program runs on, where it is built: Jest loads the modules of each spec
 * file again, which takes half of the time of the unit specs where the packages are not bundled.
 *
 * @param {string} path what is imported
 * @param {{ basedir: string; defaultResolver: (path: string, options: object) => string }} options `basedir` is the folder of
 *   the importing file
 */
export default function resolve(path, options) {
  const { basedir, defaultResolver } = options;
  const isOurs = basedir.startsWith(ROOT) && !basedir.startsWith(INSTALLED) && !basedir.startsWith(BUNDLED);
  const bundle = isOurs && PACKAGE.test(path) && join(BUNDLED, path, 'index.mjs');
  return bundle && existsSync(bundle) ? bundle : defaultResolver(path, options);
}
