import { el, withArrowKeys } from './dom.js';
import { count } from './format.js';

/**
 * A list of counts, each with a bar that shows its share.
 * @param {string} title
 * @param {number} total the count that a full bar represents
 * @param {{ label: string, count: number, href?: string }[]} items an item with a `href` is a link
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
  const list =
    rows.length > 0 ? withArrowKeys(el('ol', {}, ...rows), 'a') : el('p', { class: 'muted' }, 'None.');
  return el('div', { class: 'ranking' }, el('h3', {}, title), list);
}
