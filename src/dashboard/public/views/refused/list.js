import { addressOf } from '../../api/client.js';
import { el } from '../../page/dom.js';
import { pick } from '../../page/filters.js';
import { time } from '../../page/format.js';
import { jsonTree } from '../../page/json-tree.js';
import { pagination } from '../../page/pagination.js';
import { panel } from '../../page/panel.js';
import { lastTimestampBefore } from '../../page/range.js';
import { href } from '../../page/router.js';

/** @typedef {import('../../api/shapes.js').Rejection} Rejection */

/** @type {Record<Rejection['outcome'], string>} */
const OUTCOMES = {
  refused: 'refused',
  observed: 'stored, although it violates its schema',
  set_aside: 'accepted, then dead-lettered',
};

/**
 * The refused events, each with its errors marked.
 * @param {import('../../page/panel.js').Screen} screen
 * @param {() => Promise<import('../../page/range.js').Range>} range
 */
export function refusedListPanel(screen, range) {
  const { route } = screen;
  /** @type {string | undefined} */
  let since;
  return panel(screen, {
    title: 'Refused events',
    address: async () => {
      const found = await range();
      ({ since } = found);
      return addressOf('/rejections/', {
        ...pick(route, ['application', 'code', 'category', 'name', 'cursor']),
        rejected_after: new Date(found.from).toISOString(),
        rejected_before: lastTimestampBefore(found.to),
        page_size: 20,
      });
    },
    show: (/** @type {import('../../api/shapes.js').Page<Rejection>} */ page) => {
      if (page.results.length === 0)
        return el(
          'div',
          { class: 'empty' },
          el('p', {}, 'No refused event matches. Of many similar refusals, only samples are stored.'),
        );
      const items = page.results.map(rejected);
      return el(
        'div',
        {},
        el('ol', { class: 'rejections' }, ...items),
        pagination(route, page, 'rejection', { since }),
      );
    },
  });
}

/** @param {Rejection} rejection */
function rejected({
  application,
  outcome,
  code,
  errors,
  event,
  whole,
  session_id,
  category,
  name,
  dialect,
  rejected_at,
}) {
  return el(
    'li',
    {},
    el(
      'p',
      { class: 'heading' },
      time(rejected_at),
      el('b', { class: 'code' }, code),
      el('span', { class: 'type' }, category !== null && el('b', {}, category), ` ${name ?? ''}`),
      el('span', { class: 'application' }, application),
      dialect !== null && el('span', { class: 'muted' }, dialect),
      outcome !== 'refused' && el('span', { class: 'muted' }, OUTCOMES[outcome]),
      session_id !== null &&
        el('a', { class: 'session', href: href('sessions', {}, session_id) }, session_id),
    ),
    typeof event === 'object' && event !== null ? jsonTree(event, errors) : unparsed(event, errors),
    !whole && el('p', { class: 'muted' }, 'Only a part of this event was stored.'),
  );
}

/**
 * A refused body that is not JSON, or not an object.
 * @param {unknown} event
 * @param {Record<string, string[]>} errors
 */
function unparsed(event, errors) {
  const messages = Object.entries(errors).map(([field, texts]) =>
    el('li', { class: 'wrong' }, el('code', {}, field), ` ${texts.join(' ')}`),
  );
  const text = typeof event === 'string' ? event : JSON.stringify(event);
  return el(
    'div',
    { class: 'json' },
    el('ul', { class: 'missing' }, ...messages),
    event !== null && el('pre', { tabindex: 0 }, text),
  );
}
