import { el, walkable } from './dom.js';
import { count } from './format.js';

/**
 * What there is the most of, each with a bar of its share.
 * @param {string} title
 * @param {number} total of which the bars are shares
 * @param {{ label: string, count: number, href?: string }[]} items those with a `href` lead there
 */
export function ranking(title, total, items) {
  const rows = items.map(({ label, count: number, href }) => {
    const row = el(
      href === undefined ? 'span' : 'a',
      { href, title: label },
      el('span', {}, label),
      el('b', {}, count(number)),
    );
    row.style.setProperty('--share', `${(100 * number) / Math.max(total, 1)}%`);
    return el('li', {}, row);
  });
  const list = rows.length > 0 ? walkable(el('ol', {}, ...rows), 'a') : el('p', { class: 'muted' }, 'None.');
  return el('div', { class: 'ranking' }, el('h3', {}, title), list);
}
