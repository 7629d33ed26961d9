import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { REJECTION_CODES } from '../src/platform/model/rejection.js';
import {
  anchorsOf,
  blocksOf,
  firstColumn,
  linksOf,
  readPage,
  readPages,
  ROOT,
  whyDead,
} from './support/pages.js';

const pages = readPages();

describe('The documentation', () => {
  it('has a README of at most 150 lines', () => {
    expect(readPage('README.md').text.trimEnd().split('\n').length).toBeLessThanOrEqual(150);
  });

  it('has no link, picture or anchor that leads nowhere', () => {
    const dead = pages.flatMap((page) => linksOf(page).map((link) => whyDead(page, link)));
    expect(dead.length).toBeGreaterThan(100);
    expect(dead.filter((reason) => reason !== undefined)).toEqual([]);
  });

  it('has every page of docs linked from another page', () => {
    const linked = new Set(
      pages.flatMap((page) =>
        linksOf(page).map((link) => new URL(link, `file:///${page.path}`).pathname.slice(1)),
      ),
    );
    expect(
      pages.map(({ path }) => path).filter((path) => path.startsWith('docs/') && !linked.has(path)),
    ).toEqual([]);
  });

  it('names only npm scripts that exist', () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    const named = pages.flatMap(({ path, text }) =>
      [...text.matchAll(/\bnpm run (?:--silent )?([\w:]+)/g)].map(([, script = '']) => [path, script]),
    );
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter(([, script = '']) => !Object.hasOwn(scripts, script))).toEqual([]);
  });

  it('describes every npm script in docs/development.md', () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: object };
    const { text } = readPage('docs/development.md');
    const missing = Object.keys(scripts).filter(
      (script) => !new RegExp(`npm (run )?${script}\\b`).test(text),
    );
    expect(missing).toEqual([]);
  });

  it('lists in docs/architecture.md the layers of eslint.config.js, in their order', () => {
    const config = readFileSync(join(ROOT, 'eslint.config.js'), 'utf8');
    const [, list = ''] = /const LAYERS = \[([^]*?)\];/.exec(config) ?? [];
    const layers = [...list.matchAll(/'([^']+)'/g)].map(([, layer]) => layer);
    expect(layers.length).toBeGreaterThan(10);
    expect(firstColumn(readPage('docs/architecture.md'), 'Layers')).toEqual(layers);
  });

  it('lists in docs/refused-events.md every rejection code', () => {
    expect(firstColumn(readPage('docs/refused-events.md'), 'Codes').sort()).toEqual(
      [...REJECTION_CODES].sort(),
    );
  });

  it('names a language for each block of code, and has blocks of every kind that is run', () => {
    const blocks = pages.flatMap(blocksOf);
    const languages = new Set(blocks.map(({ language }) => language));
    for (const language of ['sh', 'sql', 'js', 'python']) expect(languages).toContain(language);
    expect(
      blocks.filter(({ language }) => language === '').map(({ page, line }) => `${page}:${line}`),
    ).toEqual([]);
  });
});

describe('The anchors of a page', () => {
  it('are made from its headings as GitHub makes them', () => {
    const text =
      '# The Eye\n\n## `GET /events`, in [short](x.md)\n\n```sh\n# no heading\n```\n\n## The Eye\n';
    expect(anchorsOf({ path: 'x.md', text })).toEqual(['the-eye', 'get-events-in-short', 'the-eye-1']);
  });
});
