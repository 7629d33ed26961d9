import { sessionAddress } from '../../api/client.js';
import { el, withArrowKeys } from '../../page/dom.js';
import { counted, duration, time } from '../../page/format.js';
import { pagination } from '../../page/pagination.js';
import { panel } from '../../page/panel.js';
import { href } from '../../page/router.js';
import { eventRow } from '../events/event-row.js';

/** @typedef {import('../../api/shapes.js').SessionPage} SessionPage */

/** @type {import('../../main.js').View} The events of one session, with the time between them. */
export function sessionView(screen) {
  const { route } = screen;
  const id = route.of ?? '';
  const timeline = panel(screen, {
    title: `Session ${id}`,
    address: sessionAddress(id, {
      cursor: route.parameters.cursor,
      page_size: 200,
    }),
    tools: el('a', { class: 'button quiet', href: href('events', { session_id: id }) }, 'As a list'),
    show: (/** @type {SessionPage} */ page) => {
      const steps = el(
        'ol',
        { class: 'rows timeline', 'aria-label': 'Events of the session' },
        ...page.results.map((event) => eventRow(event, gap(event.elapsed))),
      );
      return el(
        'div',
        {},
        summary(page),
        withArrowKeys(steps, 'a.open'),
        (page.next ?? page.previous) && pagination(route, page, ''),
      );
    },
  });
  return {
    title: `Session ${id}`,
    content: [
      el('h1', { class: 'unseen', tabindex: -1 }, `Session ${id}`),
      el('p', { class: 'trail' }, el('a', { href: href('sessions') }, 'All sessions')),
      timeline,
    ],
  };
}

/** @param {SessionPage} page */
function summary({ events, first, duration: length, applications, categories }) {
  return el(
    'p',
    { class: 'summary' },
    el('b', {}, counted(events, 'event')),
    ` of ${applications.join(' and ')}`,
    length > 0 && ' within ',
    length > 0 && el('b', {}, duration(length)),
    ', from ',
    time(first, { digits: 0 }),
    ` · ${categories.join(', ')}`,
  );
}

/**
 * The time since the previous event: as text, and as a line whose length grows with the logarithm of the time.
 * @param {number | null} elapsed seconds
 */
function gap(elapsed) {
  if (elapsed === null) return el('span', { class: 'gap first' }, 'start');
  const element = el('span', { class: 'gap' }, `+${duration(elapsed)}`);
  element.style.setProperty('--gap', String(Math.min(Math.log10(1 + elapsed * 10) / 5, 1)));
  return element;
}
