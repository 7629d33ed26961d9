import { connection } from '../api/client.js';
import { currentKey, keepKey } from '../api/key.js';
import { settings } from './settings.js';

/** @param {string} id */
const part = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/** @typedef {import('./settings.js').Theme} Theme */

/** @type {Record<Theme, Theme>} */
const NEXT_THEME = { auto: 'dark', dark: 'light', light: 'auto' };

/**
 * What stands around every view: where one can go, the buttons of the viewer's choices, and the word that The Eye cannot
 * be reached.
 * @param {() => void} again shows the view anew
 */
export function startShell(again) {
  const theme = part('theme');
  const zone = part('zone');
  const say = () => {
    theme.textContent = { auto: 'Auto', light: 'Light', dark: 'Dark' }[settings.theme];
    zone.textContent = settings.zone === 'UTC' ? 'UTC' : 'Local time';
    zone.title = `Times are in ${settings.timeZone}; press to change`;
  };
  theme.onclick = () => settings.change({ theme: NEXT_THEME[settings.theme] });
  zone.onclick = () => {
    settings.change({ zone: settings.zone === 'UTC' ? 'local' : 'UTC' });
    again();
  };
  settings.addEventListener('change', say);
  say();

  part('logout').onclick = () => {
    keepKey(null);
    again();
  };
  connection.addEventListener('reachable', () => {
    part('unreachable').hidden = connection.reachable;
    if (!connection.reachable) part('unreachable-where').textContent = location.origin;
  });
  part('skip').onclick = (event) => {
    // The address after the # is the view's.
    event.preventDefault();
    part('main').focus();
  };
}

/**
 * @param {string} view
 * @param {string} title
 */
export function sayWhere(view, title) {
  document.title = `${title} · The Eye`;
  for (const link of document.querySelectorAll('nav a')) {
    const current = link.getAttribute('href') === `#/${view}`;
    if (current) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  part('logout').hidden = currentKey() === null;
}
