import { el } from '../../page/dom.js';
import { time } from '../../page/format.js';
import { changed, here, href } from '../../page/router.js';

/** Characters of `data` in a row. */
const MAX_PREVIEW_LENGTH = 240;

/**
 * One row for an event, with a link that opens it.
 * @param {import('../../api/shapes.js').StoredEvent} event
 * @param {...Node} leading nodes at the start of the row
 */
export function eventRow(event, ...leading) {
  const { id, application, session_id, category, name, data, timestamp } = event;
  return el(
    'li',
    { 'data-event': id },
    ...leading,
    el('a', { class: 'open', href: changed(here(), { event: id }) }, time(timestamp)),
    el('span', { class: 'type' }, el('b', {}, category), ' ', name),
    el('span', { class: 'application' }, application),
    el(
      'a',
      { class: 'session', href: href('sessions', {}, session_id), title: 'Open the session' },
      session_id,
    ),
    el('code', { class: 'preview' }, JSON.stringify(data).slice(0, MAX_PREVIEW_LENGTH)),
  );
}
