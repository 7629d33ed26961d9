import { el } from '../../page/dom.js';
import { time } from '../../page/format.js';
import { changed, here, href } from '../../page/router.js';

/** Characters of the data that a row shows. */
const PREVIEW = 240;

/**
 * An event in one line, which opens it.
 * @param {import('../../api/shapes.js').StoredEvent} event
 * @param {...Node} before
 */
export function eventRow(event, ...before) {
  const { id, application, session_id, category, name, data, timestamp } = event;
  return el(
    'li',
    { 'data-event': id },
    ...before,
    el('a', { class: 'open', href: changed(here(), { event: id }) }, time(timestamp)),
    el('span', { class: 'type' }, el('b', {}, category), ' ', name),
    el('span', { class: 'application' }, application),
    el(
      'a',
      { class: 'session', href: href('sessions', {}, session_id), title: 'Open the session' },
      session_id,
    ),
    el('code', { class: 'preview' }, JSON.stringify(data).slice(0, PREVIEW)),
  );
}
