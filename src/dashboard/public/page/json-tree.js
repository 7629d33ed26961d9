import { el } from './dom.js';

/** Levels that are open to begin with; those that lead to what is wrong are open, too. */
const OPEN = 3;
/** Members beyond which a level is closed to begin with. */
const LONG = 50;

/**
 * A JSON value as a tree that folds. What is wrong with a part of it stands beside that part.
 * @param {unknown} value
 * @param {Record<string, string[]>} [errors] messages by path, e.g. `data.host`; those of no part come first
 */
export function jsonTree(value, errors = {}) {
  const left = new Map(Object.entries(errors));
  const tree = node(value, '', 0, left);
  const missing = [...left].map(([path, messages]) =>
    el('li', { class: 'wrong' }, path !== 'body' && el('code', {}, path), ' ', messages.join(' ')),
  );
  return el('div', { class: 'json' }, missing.length > 0 && el('ul', { class: 'missing' }, ...missing), tree);
}

/**
 * @param {unknown} value
 * @param {string} path
 * @param {number} depth
 * @param {Map<string, string[]>} errors those found are taken out
 * @param {HTMLElement[]} [key]
 * @returns {HTMLElement}
 */
function node(value, path, depth, errors, key = []) {
  const messages = errors.get(path);
  errors.delete(path);
  const kind = messages ? 'member bad' : 'member';
  const why = messages && el('span', { class: 'wrong' }, messages.join(' '));
  if (typeof value !== 'object' || value === null)
    return el(
      'div',
      { class: kind },
      ...key,
      el('span', { class: typeOf(value) }, JSON.stringify(value)),
      why,
    );
  const entries = Object.entries(value);
  const [begin, end] = Array.isArray(value) ? ['[', ']'] : ['{', '}'];
  if (entries.length === 0) return el('div', { class: kind }, ...key, begin + end, why);
  const members = entries.map(([name, member]) => {
    const label = Array.isArray(value)
      ? []
      : [el('span', { class: 'key' }, JSON.stringify(name)), el('span', {}, ': ')];
    const before = errors.size;
    const element = node(member, path === '' ? name : `${path}.${name}`, depth + 1, errors, label);
    return { element, wrong: errors.size < before };
  });
  const long = entries.length > LONG;
  const wrong = members.some((member) => member.wrong);
  const open = wrong || (depth < OPEN && !long);
  const size = el('span', { class: 'size' }, `${entries.length}`);
  return el(
    'details',
    { class: kind, open },
    el('summary', {}, ...key, begin, size, why),
    el(
      'div',
      { class: 'members' },
      ...(wrong && long ? folded(members) : members.map(({ element }) => element)),
    ),
    el('div', {}, end),
  );
}

/**
 * The members of a long level with what is wrong in sight, and the others folded away between.
 * @param {{ element: HTMLElement, wrong: boolean }[]} members
 */
function folded(members) {
  /** @type {HTMLElement[]} */
  const parts = [];
  /** @type {HTMLElement[]} */
  let others = [];
  const fold = () => {
    if (others.length > 0)
      parts.push(el('details', { class: 'member' }, el('summary', {}, `… ${others.length} more`), ...others));
    others = [];
  };
  for (const { element, wrong } of members) {
    if (wrong) {
      fold();
      parts.push(element);
    } else others.push(element);
  }
  fold();
  return parts;
}

/** @param {unknown} value */
const typeOf = (value) => (value === null ? 'null' : typeof value);
