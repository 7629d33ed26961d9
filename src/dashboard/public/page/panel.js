import { fetchJson, ApiError, connection } from '../api/client.js';
import { delay } from '../api/stream.js';
import { apiCall } from './api-call.js';
import { el } from './dom.js';

/**
 * The parameters of a view. `signal` aborts when the view is replaced. The view is shown when the promises passed to
 * `waitFor` have settled.
 * @typedef {{
 *   route: import('./router.js').Route,
 *   signal: AbortSignal,
 *   waitFor: (promise: Promise<unknown>) => void,
 * }} Screen
 */

export const RETRY_INTERVAL_MS = 3000;

let panels = 0;

/**
 * A part of a view that sends one request and shows the response. It shows errors, retries after transient ones, and does
 * not affect other panels.
 * @template Body
 * @param {Screen} screen
 * @param {{
 *   title: string,
 *   address: string | (() => Promise<string>),
 *   show: (body: Body) => Node,
 *   load?: (address: string, signal: AbortSignal) => Promise<Body>,
 *   intervalMs?: number,
 *   tools?: import('./dom.js').Child,
 *   class?: string,
 * }} options `intervalMs`: time between two requests of a panel that refreshes; `show` may return the same node again
 */
export function panel(screen, { title, address, show, load = getJson, intervalMs, tools, class: kind = '' }) {
  const note = el('p', { class: 'note', role: 'status', hidden: true });
  const body = el('div', { class: 'panel-body' }, el('p', { class: 'muted loading' }, 'Loading…'));
  const call = el('span');
  const section = frame(title, [call, tools], kind, note, body);

  async function update() {
    if (typeof address !== 'string') address = await address();
    if (!call.hasChildNodes()) call.append(apiCall(address));
    const node = show(await load(address, screen.signal));
    if (body.firstChild !== node || body.childNodes.length !== 1) body.replaceChildren(node);
    note.hidden = true;
  }

  /** @returns {Promise<boolean>} whether to send another request */
  async function attempt() {
    try {
      await update();
      return intervalMs !== undefined;
    } catch (error) {
      if (screen.signal.aborted) return false;
      if (!(error instanceof ApiError)) throw error;
      body.querySelector('.loading')?.remove();
      note.textContent = error.displayMessage;
      note.hidden = false;
      return error.isTransient;
    }
  }

  async function poll() {
    while (!screen.signal.aborted) {
      await delay(
        connection.reachable && note.hidden ? (intervalMs ?? RETRY_INTERVAL_MS) : RETRY_INTERVAL_MS,
        screen.signal,
      );
      await untilVisible(screen.signal);
      if (screen.signal.aborted || !(await attempt())) return;
    }
  }

  const first = attempt();
  screen.waitFor(first);
  void first.then((more) => (more ? poll() : undefined));
  return section;
}

/**
 * @param {string} address
 * @param {AbortSignal} signal
 */
const getJson = (address, signal) => fetchJson(address, { signal });

/**
 * The frame of a panel: its title and tools around its content.
 * @param {string} title
 * @param {import('./dom.js').Child[]} tools
 * @param {string} kind
 * @param {...Node} content
 */
export function frame(title, tools, kind, ...content) {
  const id = `panel-${panels++}`;
  return el(
    'section',
    { class: `panel ${kind}`, 'aria-labelledby': id },
    el('header', {}, el('h2', { id }, title), el('div', { class: 'tools' }, ...tools)),
    ...content,
  );
}

/**
 * Resolves when the page is visible. A hidden page sends no requests.
 * @param {AbortSignal} signal
 */
function untilVisible(signal) {
  return new Promise((resolve) => {
    if (!document.hidden) return resolve(undefined);
    const options = { once: true, signal };
    document.addEventListener('visibilitychange', () => resolve(undefined), options);
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
}
