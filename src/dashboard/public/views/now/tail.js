import { addressOf, fetchJson, ApiError } from '../../api/client.js';
import { readStream, delay } from '../../api/stream.js';
import { apiCall, firstEventHint } from '../../page/api-call.js';
import { el, withArrowKeys } from '../../page/dom.js';
import { filters, pick } from '../../page/filters.js';
import { count, counted } from '../../page/format.js';
import { RETRY_INTERVAL_MS, frame } from '../../page/panel.js';
import { eventRow } from '../events/event-row.js';

/** @typedef {import('../../api/shapes.js').StoredEvent} StoredEvent */

/** Rows in the list. Few enough for a thousand events per second. */
const MAX_ROWS = 100;
/** Time between two updates of the list, however many events arrive. */
const UPDATE_INTERVAL_MS = 250;
/** Stored events that the list starts with. */
const INITIAL_EVENTS = 20;

const FILTERS = ['application', 'category', 'name', 'session_id'];

/** @param {import('../../page/panel.js').Screen} screen */
export function tailPanel(screen) {
  const filter = pick(screen.route, FILTERS);
  const list = withArrowKeys(el('ol', { class: 'rows tail', 'aria-label': 'Newest events' }), 'a.open');
  const state = el('span', { class: 'state', role: 'status' }, 'Connecting…');
  const empty = el('div', { class: 'empty', hidden: true });
  const pause = el('button', { type: 'button', 'aria-pressed': 'false', onclick: togglePause }, 'Pause');

  /** @type {StoredEvent[]} not in the list yet, oldest first */
  let waiting = [];
  /**
   * Ids of the events in the list and in `waiting`. The stream may repeat events that were read before it opened.
   * @type {Set<string | undefined>}
   */
  const known = new Set();
  let received = 0;
  let skippedCount = 0;
  let paused = false;
  let streamError = '';
  /**
   * Whether the stream has been open. Events that were stored between the first read and the opening of the stream are in
   * neither, so the newest events are read again when it opens.
   */
  let opened = false;
  let loadError = '';
  let scheduled = false;
  let lastUpdate = 0;

  function togglePause() {
    paused = !paused;
    pause.textContent = paused ? 'Resume' : 'Pause';
    pause.setAttribute('aria-pressed', String(paused));
    schedule();
  }

  function schedule() {
    if (scheduled || screen.signal.aborted) return;
    scheduled = true;
    requestAnimationFrame(update);
  }

  /** @param {number} now */
  function update(now) {
    if (now - lastUpdate < UPDATE_INTERVAL_MS && !screen.signal.aborted) return requestAnimationFrame(update);
    scheduled = false;
    lastUpdate = now;
    if (!paused && waiting.length > 0) {
      list.prepend(...waiting.toReversed().map((event) => eventRow(event)));
      waiting = [];
      removeOldRows();
      empty.hidden = true;
    }
    state.textContent = streamError || loadError || status();
    return undefined;
  }

  function removeOldRows() {
    for (const row of [...list.querySelectorAll('li')].slice(MAX_ROWS)) {
      known.delete(row.dataset.event);
      row.remove();
    }
  }

  function status() {
    const held = paused
      ? `Paused, ${counted(waiting.length, 'newer event')}${waiting.length === MAX_ROWS ? ' or more' : ''} · `
      : '';
    const skipped = skippedCount === 0 ? '' : ` · ${count(skippedCount)} skipped`;
    return `${held}${counted(received, 'event')} since the view was opened${skipped}`;
  }

  async function load() {
    try {
      await showNewest();
      loadError = '';
    } catch (error) {
      if (screen.signal.aborted) return;
      if (!(error instanceof ApiError)) throw error;
      loadError = error.displayMessage;
      if (error.isTransient) void delay(RETRY_INTERVAL_MS, screen.signal).then(load);
    }
    schedule();
  }

  /** @returns {Promise<StoredEvent[]>} newest first */
  async function readNewest() {
    const address = addressOf('/events/', { ...filter, page_size: INITIAL_EVENTS });
    /** @type {import('../../api/shapes.js').Page<StoredEvent>} */
    const { results } = await fetchJson(address, { signal: screen.signal });
    return results;
  }

  /** @param {StoredEvent} event */
  function add(event) {
    schedule();
    if (known.has(event.id)) return;
    known.add(event.id);
    waiting.push(event);
    if (waiting.length > MAX_ROWS) known.delete(waiting.shift()?.id);
  }

  async function showNewest() {
    const events = (await readNewest()).filter(({ id }) => !known.has(id));
    for (const { id } of events) known.add(id);
    list.append(...events.map((event) => eventRow(event)));
    removeOldRows();
    if (known.size > 0) return;
    const filtered = Object.values(filter).some(Boolean);
    empty.replaceChildren(
      el('p', {}, filtered ? 'No event matches these filters yet.' : 'No event has been stored yet.'),
      ...(filtered ? [] : [firstEventHint()]),
    );
    empty.hidden = false;
  }

  screen.waitFor(load());
  void readStream(addressOf('/events/stream', filter), screen.signal, {
    event(event) {
      received += 1;
      add(event);
    },
    skipped(number) {
      skippedCount += number ?? 0;
      schedule();
    },
    state(error) {
      if (error === '' && !opened)
        void readNewest().then(
          (events) => events.toReversed().forEach(add),
          () => undefined,
        );
      opened ||= error === '';
      streamError = error;
      schedule();
    },
  });

  return frame(
    'Live',
    [state, apiCall(addressOf('/events/stream', filter)), pause],
    '',
    filters(screen, { fields: FILTERS }),
    list,
    empty,
  );
}
