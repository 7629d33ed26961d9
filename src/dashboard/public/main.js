import { connection } from './api/client.js';
import { el } from './page/dom.js';
import { login } from './page/login.js';
import { here } from './page/router.js';
import { sayWhere, startShell } from './page/shell.js';
import { eventDialog } from './views/events/event-dialog.js';
import { eventsView } from './views/events/events.js';
import { historyView } from './views/history/history.js';
import { nowView } from './views/now/now.js';
import { refusedView } from './views/refused/refused.js';
import { sessionView } from './views/sessions/session.js';
import { sessionsView } from './views/sessions/sessions.js';

/**
 * A view makes its content for a route, once; another route makes another one.
 * @typedef {(screen: import('./page/panel.js').Screen) => { title: string, content: Node[] }} View
 */

/** @type {Record<string, View>} */
const VIEWS = {
  now: nowView,
  history: historyView,
  events: eventsView,
  sessions: (screen) => (screen.route.of === undefined ? sessionsView(screen) : sessionView(screen)),
  refused: refusedView,
};

/** Milliseconds that the view before stays, so that what loads quickly does not flicker. */
const PATIENCE = 400;

const main = /** @type {HTMLElement} */ (document.getElementById('main'));

let leaving = new AbortController();
let shown = '';
let view = '';

/** @param {boolean} [anew] even if the address is the same */
async function show(anew = false) {
  const route = here();
  // An event is opened over the view, which stays as it is.
  const { event, ...parameters } = route.parameters;
  eventDialog.show(event);
  const address = JSON.stringify([route.view, route.of, parameters]);
  if (address === shown && !anew) return;
  shown = address;

  const make = VIEWS[route.view] ?? nothing;
  const entering = new AbortController();
  const previous = leaving;
  leaving = entering;
  /** @type {Promise<unknown>[]} */
  const parts = [];
  const screen = {
    route: { ...route, parameters },
    signal: entering.signal,
    waitFor: parts.push.bind(parts),
  };
  const { title, content } = make(screen);
  await Promise.race([Promise.allSettled(parts), new Promise((resolve) => setTimeout(resolve, PATIENCE))]);
  previous.abort();
  if (entering.signal.aborted) return;
  const focus = document.activeElement?.id;
  main.replaceChildren(...content);
  sayWhere(route.view, title);
  if (view !== route.view) scrollTo(0, 0);
  view = route.view;
  // Whoever works with the keyboard goes on where they were.
  if (focus && main.querySelector(`#${CSS.escape(focus)}`)) document.getElementById(focus)?.focus();
}

/** @type {View} */
function nothing({ route }) {
  return {
    title: 'Nothing here',
    content: [el('p', { class: 'panel' }, `There is no view “${route.view}”.`)],
  };
}

function lock() {
  leaving.abort();
  eventDialog.show(undefined);
  shown = '';
  if (main.querySelector('.login')) return;
  main.replaceChildren(login(() => void show(true)));
  sayWhere('', 'Log in');
  document.getElementById('key')?.focus();
}

startShell(() => void show(true));
connection.addEventListener('locked', lock);
addEventListener('hashchange', () => void show());
void show();
