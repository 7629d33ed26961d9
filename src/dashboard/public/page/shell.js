import { connection, urlOf } from '../api/client.js';
import { currentKey, storeKey } from '../api/key.js';
import { settings } from './settings.js';

/** @param {string} id */
const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/** @typedef {import('./settings.js').Theme} Theme */

/** @type {Record<Theme, Theme>} */
const NEXT_THEME = { auto: 'dark', dark: 'light', light: 'auto' };

/**
 * The parts around every view: navigation, settings, and the notice that The Eye cannot be reached.
 * @param {() => void} reload builds the current view again
 */
export function startShell(reload) {
  const theme = byId('theme');
  const zone = byId('zone');
  const update = () => {
    theme.textContent = { auto: 'Auto', light: 'Light', dark: 'Dark' }[settings.theme];
    zone.textContent = settings.zone === 'UTC' ? 'UTC' : 'Local time';
    zone.title = `Times are in ${settings.timeZone}; press to change`;
  };
  theme.onclick = () => settings.change({ theme: NEXT_THEME[settings.theme] });
  zone.onclick = () => {
    settings.change({ zone: settings.zone === 'UTC' ? 'local' : 'UTC' });
    reload();
  };
  settings.addEventListener('change', update);
  update();

  byId('logout').onclick = () => {
    storeKey(null);
    reload();
  };
  connection.addEventListener('reachable', () => {
    byId('unreachable').hidden = connection.reachable;
    if (!connection.reachable) byId('unreachable-where').textContent = urlOf('/').replace(/\/$/, '');
  });
  byId('skip').onclick = (event) => {
    // The fragment of the address belongs to the router.
    event.preventDefault();
    byId('main').focus();
  };
}

/**
 * @param {string} view
 * @param {string} title
 */
export function setCurrentView(view, title) {
  document.title = `${title} · The Eye`;
  for (const link of document.querySelectorAll('nav a')) {
    const current = link.getAttribute('href') === `#/${view}`;
    if (current) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  byId('logout').hidden = currentKey() === null;
}
