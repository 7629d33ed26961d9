import { addressOf, ask, AskError } from '../../api/client.js';
import { follow, rest } from '../../api/stream.js';
import { apiCall, sendFirst } from '../../page/api-call.js';
import { el, walkable } from '../../page/dom.js';
import { filters, pick } from '../../page/filters.js';
import { count, counted } from '../../page/format.js';
import { AGAIN, frame } from '../../page/panel.js';
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
  /**
   * Ids of the rows and of what waits: the newest events of the past may come by the stream, too.
   * @type {Set<string | undefined>}
   */
  const known = new Set();
  let seen = 0;
  let missed = 0;
  let paused = false;
  let trouble = '';
  /** The stream has been open. What was stored after the list was read and before that is in neither, so it is read again. */
  let opened = false;
  let beginning = '';
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
      cut();
      empty.hidden = true;
    }
    state.textContent = trouble || beginning || words();
    return undefined;
  }

  function cut() {
    for (const row of [...list.querySelectorAll('li')].slice(MOST)) {
      known.delete(row.dataset.event);
      row.remove();
    }
  }

  function words() {
    const held = paused
      ? `Paused, ${counted(waiting.length, 'newer event')}${waiting.length === MOST ? ' or more' : ''} · `
      : '';
    const spared = missed === 0 ? '' : ` · ${count(missed)} spared`;
    return `${held}${counted(seen, 'event')} since this was opened${spared}`;
  }

  async function begin() {
    try {
      await fill();
      beginning = '';
    } catch (error) {
      if (screen.signal.aborted) return;
      if (!(error instanceof AskError)) throw error;
      beginning = error.words;
      if (error.passing) void rest(AGAIN, screen.signal).then(begin);
    }
    schedule();
  }

  /** @returns {Promise<StoredEvent[]>} newest first */
  async function past() {
    const address = addressOf('/events/', { ...given, page_size: BEGIN });
    /** @type {import('../../api/shapes.js').Page<StoredEvent>} */
    const { results } = await ask(address, { signal: screen.signal });
    return results;
  }

  /** @param {StoredEvent} event */
  function take(event) {
    schedule();
    if (known.has(event.id)) return;
    known.add(event.id);
    waiting.push(event);
    if (waiting.length > MOST) known.delete(waiting.shift()?.id);
  }

  async function fill() {
    const events = (await past()).filter(({ id }) => !known.has(id));
    for (const { id } of events) known.add(id);
    list.append(...events.map((event) => eventRow(event)));
    cut();
    if (known.size > 0) return;
    const filtered = Object.values(given).some(Boolean);
    empty.replaceChildren(
      el('p', {}, filtered ? 'No event matches these filters yet.' : 'No event has been stored yet.'),
      ...(filtered ? [] : [sendFirst()]),
    );
    empty.hidden = false;
  }

  screen.waitFor(begin());
  void follow(addressOf('/events/stream', given), screen.signal, {
    event(event) {
      seen += 1;
      take(event);
    },
    skipped(number) {
      missed += number ?? 0;
      schedule();
    },
    state(words) {
      if (words === '' && !opened)
        void past().then(
          (events) => events.toReversed().forEach(take),
          () => undefined,
        );
      opened ||= words === '';
      trouble = words;
      schedule();
    },
  });

  return frame(
    'Live',
    [state, apiCall(addressOf('/events/stream', given)), pause],
    '',
    filters(screen, { fields: FILTERS }),
    list,
    empty,
  );
}
