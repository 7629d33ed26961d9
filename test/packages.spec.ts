import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { minVersion, satisfies } from 'semver';
import { ROOT } from './support/pages.js';

interface Manifest {
  readonly engines?: { readonly node?: string };
  readonly scripts: Record<string, string>;
}

const read = (name: string): string => readFileSync(join(ROOT, name), 'utf8');
const manifest = JSON.parse(read('package.json')) as Manifest;

describe('package-lock.json', () => {
  it('has only packages that support the lowest Node of package.json, so that npm ci prints no warning', () => {
    const floor = minVersion(manifest.engines?.node ?? '*')?.version ?? '';
    const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, Manifest> };
    const unsupported = Object.entries(packages).filter(
      ([, { engines }]) => engines?.node !== undefined && !satisfies(floor, engines.node),
    );
    expect(Object.keys(packages).length).toBeGreaterThan(500);
    expect(unsupported.map(([path]) => path)).toEqual([]);
  });
});

describe('.npmrc', () => {
  it('lets no package run a script at the installation, whatever the version of npm', () => {
    expect(read('.npmrc')).toMatch(/^ignore-scripts=true$/m);
  });

  it('leaves no script of package.json to npm that it would then skip', () => {
    const names = Object.keys(manifest.scripts);
    const hooks = names.filter((name) => /^(pre|post)/.test(name) || name === 'install');
    expect(hooks).toEqual([]);
  });
});
