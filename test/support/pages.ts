import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

export const ROOT = join(import.meta.dirname, '../..');

/** A Markdown page of the documentation. */
export interface Page {
  /** Relative to the root of the repository, e.g. `docs/api.md`. */
  readonly path: string;
  readonly text: string;
}

/** A fenced block of a page. */
export interface Block {
  readonly page: string;
  /** Line number of its first line of code in the page. */
  readonly line: number;
  /** The info string of the fence, e.g. `sh`. */
  readonly language: string;
  readonly code: string;
}

/** The pages at the root of the repository and in docs, README first. */
export function readPages(): Page[] {
  const inRoot = readdirSync(ROOT).filter((name) => name.endsWith('.md'));
  const inDocs = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name));
  const paths = ['README.md', ...[...inRoot, ...inDocs].filter((path) => path !== 'README.md').sort()];
  return paths.map(readPage);
}

export function readPage(path: string): Page {
  return { path, text: readFileSync(join(ROOT, path), 'utf8') };
}

export function blocksOf({ path, text }: Page): Block[] {
  return [...text.matchAll(/^```(\w*)\n([^]*?)^```$/gm)].map(({ 1: language = '', 2: code = '', index }) => ({
    page: path,
    line: text.slice(0, index).split('\n').length + 1,
    language,
    code,
  }));
}

/** The anchors that GitHub generates from the headings of a page. */
export function anchorsOf({ text }: Page): string[] {
  const seen = new Map<string, number>();
  return [...withoutBlocks(text).matchAll(/^#{1,6} +(.+)$/gm)].map(([, heading = '']) => {
    const plain = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replace(/[`*]/g, '');
    const slug = plain
      .trim()
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-');
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    return count === 0 ? slug : `${slug}-${count}`;
  });
}

/** The targets of links and images, in Markdown and in HTML. */
export function linksOf({ text }: Page): string[] {
  const prose = withoutBlocks(text);
  return [
    ...prose.matchAll(/\]\(([^)\s]+)\)/g),
    ...prose.matchAll(/\b(?:src|srcset|href)="([^"]+)"/g),
    ...prose.matchAll(/<(https?:[^>]+)>/g),
  ].map(([, target = '']) => target);
}

/** Describes why a link is broken; undefined if it resolves or is external. */
export function whyDead(page: Page, link: string): string | undefined {
  if (/^[a-z]+:/.test(link)) return undefined;
  const [file = '', anchor] = link.split('#');
  const target = file === '' ? page.path : normalize(join(dirname(page.path), file));
  if (!existsSync(join(ROOT, target))) return `${page.path}: ${link}: there is no ${target}`;
  if (anchor === undefined || anchorsOf(readPage(target)).includes(anchor)) return undefined;
  return `${page.path}: ${link}: ${target} has no heading "${anchor}"`;
}

/** The first cell of each row of the table that follows a heading, without backquotes. */
export function firstColumn({ text }: Page, heading: string): string[] {
  const [, section = ''] = text.split(new RegExp(`^#+ ${heading}$`, 'm'));
  const [rows = ''] = /^(?:\|.*\n)+/m.exec(section) ?? [];
  return rows
    .trimEnd()
    .split('\n')
    .slice(2)
    .map((row) => row.split('|')[1]?.trim().replaceAll('`', '') ?? '');
}

const withoutBlocks = (text: string): string => text.replace(/^```[^]*?^```$/gm, '');
