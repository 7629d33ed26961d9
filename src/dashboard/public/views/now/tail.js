import { addressOf, ask, AskError } from '../../api/client.js';
import { follow } from '../../api/stream.js';
import { apiCall, sendFirst } from '../../page/api-call.js';
import { el, walkable } from '../../page/dom.js';
import { filters, pick } from '../../page/filters.js';
import { count, counted } from '../../page/format.js';
import { frame } from '../../page/panel.js';
import { eventRow } from '../events/event-row.js';

/** @typedef {import('../../api/shapes.js').StoredEvent} StoredEvent */

/** Rows that are kept: more than anybody reads, and few enough that a thousand events a second stay smooth. */
const MOST = 100;
/** Milliseconds between two changes of the list, however many events arrive. */
const BEAT = 250;
/** Events of the past to begin with. */
const BEGIN = 20;

const FILTERS = ['application', 'category', 'name', 'session_id'];

/** @param {import('../../page/panel.js').Screen} screen */
export function tailPanel(screen) {
  const given = pick(screen.route, FILTERS);
  const list = walkable(el('ol', { class: 'rows tail', 'aria-label': 'Newest events' }), 'a.open');
  const state = el('span', { class: 'state', role: 'status' }, 'Connecting…');
  const empty = el('div', { class: 'empty', hidden: true });
  const pause = el('button', { type: 'button', 'aria-pressed': 'false', onclick: togglePause }, 'Pause');

  /** @type {StoredEvent[]} Oldest first. */
  let waiting = [];
  let seen = 0;
  let missed = 0;
  let paused = false;
  let trouble = '';
  let scheduled = false;
  let last = 0;

  function togglePause() {
    paused = !paused;
    pause.textContent = paused ? 'Go on' : 'Pause';
    pause.setAttribute('aria-pressed', String(paused));
    schedule();
  }

  function schedule() {
    if (scheduled || screen.signal.aborted) return;
    scheduled = true;
    requestAnimationFrame(draw);
  }

  /** @param {number} now */
  function draw(now) {
    if (now - last < BEAT && !screen.signal.aborted) return requestAnimationFrame(draw);
    scheduled = false;
    last = now;
    if (!paused && waiting.length > 0) {
      list.prepend(...waiting.toReversed().map((event) => eventRow(event)));
      waiting = [];
      while (list.childElementCount > MOST) list.lastElementChild?.remove();
      empty.hidden = true;
    }
    state.textContent = trouble || words();
    return undefined;
  }

  function words() {
    const held = paused
      ? `Paused, ${counted(waiting.length, 'newer event')}${waiting.length === MOST ? ' or more' : ''} · `
      : '';
    const spared = missed === 0 ? '' : ` · ${count(missed)} spared`;
    return `${held}${counted(seen, 'event')} since this was opened${spared}`;
  }

  async function begin() {
    const address = addressOf('/events/', { ...given, page_size: BEGIN });
    /** @type {import('../../api/shapes.js').Page<StoredEvent>} */
    const { results } = await ask(address, { signal: screen.signal });
    const known = new Set([...list.querySelectorAll('li')].map(({ dataset }) => dataset.event));
    list.append(...results.filter(({ id }) => !known.has(id)).map((event) => eventRow(event)));
    if (list.childElementCount > 0) return;
    const filtered = Object.values(given).some(Boolean);
    empty.replaceChildren(
      el('p', {}, filtered ? 'No event matches these filters yet.' : 'No event has been stored yet.'),
      ...(filtered ? [] : [sendFirst()]),
    );
    empty.hidden = false;
  }

  screen.waitFor(begin().catch((error) => fail(error)));
  void follow(addressOf('/events/stream', given), screen.signal, {
    event(event) {
      seen += 1;
      waiting.push(event);
      if (waiting.length > MOST) waiting.shift();
      schedule();
    },
    skipped(number) {
      missed += number ?? 0;
      schedule();
    },
    state(words) {
      trouble = words;
      schedule();
    },
  });

  /** @param {unknown} error */
  function fail(error) {
    if (!(error instanceof AskError)) return;
    trouble = error.message;
    schedule();
  }

  return frame(
    'Live',
    [state, apiCall(addressOf('/events/stream', given)), pause],
    '',
    filters(screen, { fields: FILTERS }),
    list,
    empty,
  );
}
