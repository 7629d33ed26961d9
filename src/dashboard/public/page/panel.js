import { ask, AskError, connection } from '../api/client.js';
import { rest } from '../api/stream.js';
import { apiCall } from './api-call.js';
import { el } from './dom.js';

/**
 * What a view is given: where it is, a signal that ends it, and a way to say what to wait for before it is shown.
 * @typedef {{
 *   route: import('./router.js').Route,
 *   signal: AbortSignal,
 *   waitFor: (promise: Promise<unknown>) => void,
 * }} Screen
 */

/** Milliseconds before a failed request is made again. */
export const AGAIN = 3000;

let panels = 0;

/**
 * A part of a view that asks one question of the API and shows the answer; it says in words when there is none, tries
 * again where that may help, and never takes another panel down with it.
 * @template Answer
 * @param {Screen} screen
 * @param {{
 *   title: string,
 *   address: string | (() => Promise<string>),
 *   show: (answer: Answer) => Node,
 *   load?: (address: string, signal: AbortSignal) => Promise<Answer>,
 *   every?: number,
 *   tools?: import('./dom.js').Child,
 *   class?: string,
 * }} options `every`: milliseconds after which it asks again; `show` may return the node that it returned before
 */
export function panel(screen, { title, address, show, load = askFor, every, tools, class: kind = '' }) {
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

  /** @returns {Promise<boolean>} whether to go on asking */
  async function attempt() {
    try {
      await update();
      return every !== undefined;
    } catch (error) {
      if (screen.signal.aborted) return false;
      if (!(error instanceof AskError)) throw error;
      body.querySelector('.loading')?.remove();
      note.textContent = error.words;
      note.hidden = false;
      return error.passing;
    }
  }

  async function goOn() {
    while (!screen.signal.aborted) {
      await rest(connection.reachable && note.hidden ? (every ?? AGAIN) : AGAIN, screen.signal);
      await visible(screen.signal);
      if (screen.signal.aborted || !(await attempt())) return;
    }
  }

  const first = attempt();
  screen.waitFor(first);
  void first.then((more) => (more ? goOn() : undefined));
  return section;
}

/**
 * @param {string} address
 * @param {AbortSignal} signal
 */
const askFor = (address, signal) => ask(address, { signal });

/**
 * The frame of a panel.
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
 * Resolves while the page is in view: nobody looks at a hidden one.
 * @param {AbortSignal} signal
 */
function visible(signal) {
  return new Promise((resolve) => {
    if (!document.hidden) return resolve(undefined);
    const options = { once: true, signal };
    document.addEventListener('visibilitychange', () => resolve(undefined), options);
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
}
