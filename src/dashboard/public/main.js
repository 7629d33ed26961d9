import { connection } from './api/client.js';
import { el } from './page/dom.js';
import { login } from './page/login.js';
import { here } from './page/router.js';
import { setCurrentView, startShell } from './page/shell.js';
import { eventDialog } from './views/events/event-dialog.js';
import { eventsView } from './views/events/events.js';
import { historyView } from './views/history/history.js';
import { nowView } from './views/now/now.js';
import { refusedView } from './views/refused/refused.js';
import { sessionView } from './views/sessions/session.js';
import { sessionsView } from './views/sessions/sessions.js';

/**
 * Builds the content of a view for one route. Called again for each route.
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

/** The previous view stays for at most this long, so that a view that loads quickly does not flicker. */
const LOAD_TIMEOUT_MS = 400;

const main = /** @type {HTMLElement} */ (document.getElementById('main'));

/** Aborts when the current view is replaced. */
let current = new AbortController();
let currentAddress = '';
let currentView = '';

/** @param {boolean} [force] builds the view again even if its address has not changed */
async function show(force = false) {
  const route = here();
  // An event opens in a dialog over the view, which does not change.
  const { event, ...parameters } = route.parameters;
  eventDialog.show(event);
  const address = JSON.stringify([route.view, route.of, parameters]);
  if (address === currentAddress && !force) return;
  currentAddress = address;

  const build = VIEWS[route.view] ?? unknownView;
  const next = new AbortController();
  const previous = current;
  current = next;
  /** @type {Promise<unknown>[]} */
  const parts = [];
  const screen = {
    route: { ...route, parameters },
    signal: next.signal,
    waitFor: parts.push.bind(parts),
  };
  const { title, content } = build(screen);
  // Until the next view takes its place, the shown one is out of date: what is typed into it would be lost.
  main.ariaBusy = 'true';
  await Promise.race([
    Promise.allSettled(parts),
    new Promise((resolve) => setTimeout(resolve, LOAD_TIMEOUT_MS)),
  ]);
  previous.abort();
  // A view that was left before it was shown is not drawn: its links and fields would vanish a moment later.
  if (next.signal.aborted || current !== next) return;
  const focus = document.activeElement?.id;
  main.replaceChildren(...content);
  main.ariaBusy = 'false';
  setCurrentView(route.view, title);
  if (currentView !== route.view) scrollTo(0, 0);
  currentView = route.view;
  // Keyboard users keep their place.
  if (focus && main.querySelector(`#${CSS.escape(focus)}`)) document.getElementById(focus)?.focus();
}

/** @type {View} */
function unknownView({ route }) {
  return {
    title: 'Not found',
    content: [el('p', { class: 'panel' }, `There is no view “${route.view}”.`)],
  };
}

function showLogin() {
  current.abort();
  eventDialog.show(undefined);
  currentAddress = '';
  if (main.querySelector('.login')) return;
  main.replaceChildren(login(() => void show(true)));
  main.ariaBusy = 'false';
  setCurrentView('', 'Log in');
  document.getElementById('key')?.focus();
}

startShell(() => void show(true));
connection.addEventListener('unauthenticated', showLogin);
addEventListener('hashchange', () => void show());
void show();
