import { fetchJson, ApiError } from '../../api/client.js';
import { apiCall } from '../../page/api-call.js';
import { copyButton, el } from '../../page/dom.js';
import { time } from '../../page/format.js';
import { jsonTree } from '../../page/json-tree.js';
import { changed, go, here, href } from '../../page/router.js';

/** One event in a dialog over the view. Its id is a parameter of the route. */
class EventDialog {
  dialog = el('dialog', { class: 'drawer', 'aria-labelledby': 'event-title' });
  /** @type {string | undefined} */
  id;

  constructor() {
    document.body.append(this.dialog);
    this.dialog.addEventListener('close', () => {
      this.id = undefined;
      this.dialog.replaceChildren();
      if (here().parameters.event !== undefined) go(changed(here(), { event: undefined }));
    });
    // A click outside the dialog closes it, like Esc.
    this.dialog.addEventListener('click', ({ target }) => target === this.dialog && this.dialog.close());
  }

  /** @param {string | undefined} id undefined closes the dialog */
  show(id) {
    if (id === this.id) return;
    this.id = id;
    if (id === undefined) return this.dialog.close();
    this.fill(id, el('p', { class: 'muted' }, 'Loading…'));
    if (!this.dialog.open) this.dialog.showModal();
    void this.load(id);
  }

  /** @param {string} id */
  async load(id) {
    try {
      /** @type {import('../../api/shapes.js').StoredEvent} */
      const event = await fetchJson(`/events/${encodeURIComponent(id)}/`);
      if (this.id === id)
        this.fill(
          id,
          describe(event),
          copyButton('Copy JSON', () => JSON.stringify(event, null, 2)),
        );
    } catch (error) {
      if (this.id !== id) return;
      this.fill(id, el('p', { class: 'note' }, error instanceof ApiError ? error.message : String(error)));
    }
  }

  /**
   * @param {string} id
   * @param {Node} content
   * @param {Node} [tool]
   */
  fill(id, content, tool) {
    const close = el(
      'button',
      { type: 'button', onclick: () => this.dialog.close(), autofocus: true },
      'Close',
    );
    this.dialog.replaceChildren(
      el(
        'div',
        {},
        el(
          'header',
          {},
          el('h2', { id: 'event-title' }, 'Event'),
          el('div', { class: 'tools' }, apiCall(`/events/${encodeURIComponent(id)}/`), tool, close),
        ),
        content,
      ),
    );
  }
}

export const eventDialog = new EventDialog();

/** @param {import('../../api/shapes.js').StoredEvent} event */
function describe(event) {
  const { application, category, name, session_id, timestamp } = event;
  const facts = /** @type {const} */ ([
    ['Type', el('a', { href: href('events', { category, name }) }, `${category} · ${name}`)],
    ['Application', el('a', { href: href('events', { application }) }, application)],
    ['Session', el('a', { href: href('sessions', {}, session_id) }, session_id)],
    ['Time', time(timestamp, { digits: 6 })],
  ]);
  const list = facts.flatMap(([term, value]) => [el('dt', {}, term), el('dd', {}, value)]);
  return el('div', { class: 'event' }, el('dl', { class: 'facts' }, ...list), jsonTree(event));
}
