import { el } from './dom.js';

/** Levels that are initially open. Levels that lead to an error are always open. */
const MAX_OPEN_DEPTH = 3;
/** Levels with more members are initially closed. */
const MAX_OPEN_MEMBERS = 50;

/**
 * Shows a JSON value as a collapsible tree, with each error beside the value that it is about.
 * @param {unknown} value
 * @param {Record<string, string[]>} [errors] messages by path, such as `data.host`; those without a matching value come first
 */
export function jsonTree(value, errors = {}) {
  const remaining = new Map(Object.entries(errors));
  const tree = node(value, '', 0, remaining);
  const missing = [...remaining].map(([path, messages]) =>
    el('li', { class: 'wrong' }, path !== 'body' && el('code', {}, path), ' ', messages.join(' ')),
  );
  return el('div', { class: 'json' }, missing.length > 0 && el('ul', { class: 'missing' }, ...missing), tree);
}

/**
 * @param {unknown} value
 * @param {string} path
 * @param {number} depth
 * @param {Map<string, string[]>} errors those that are shown are removed
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
  const long = entries.length > MAX_OPEN_MEMBERS;
  const wrong = members.some((member) => member.wrong);
  const open = wrong || (depth < MAX_OPEN_DEPTH && !long);
  const size = el('span', { class: 'size' }, `${entries.length}`);
  return el(
    'details',
    { class: kind, open },
    el('summary', {}, ...key, begin, size, why),
    el(
      'div',
      { class: 'members' },
      ...(wrong && long ? collapseOthers(members) : members.map(({ element }) => element)),
    ),
    el('div', {}, end),
  );
}

/**
 * The members of a long level: those with errors are visible, and the others are collapsed.
 * @param {{ element: HTMLElement, wrong: boolean }[]} members
 */
function collapseOthers(members) {
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
