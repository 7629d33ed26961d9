import { currentKey } from '../api/key.js';
import { urlOf } from '../api/client.js';
import { copyButton, el } from './dom.js';

/**
 * Shows the API request of a panel: as a link, and as a curl command in which a shell variable stands for the key.
 * @param {string} address
 */
export function apiCall(address) {
  const details = el(
    'details',
    {
      class: 'api-call',
      onkeydown(/** @type {KeyboardEvent} */ event) {
        if (!details.open || event.key !== 'Escape') return;
        event.preventDefault();
        details.open = false;
      },
      onfocusout(/** @type {FocusEvent} */ { relatedTarget }) {
        if (!details.contains(/** @type {Node | null} */ (relatedTarget))) details.open = false;
      },
    },
    el('summary', { title: 'The API request of this panel' }, 'API'),
    el(
      'div',
      {},
      el('a', { href: urlOf(address), target: '_blank', rel: 'noopener' }, `GET ${address}`),
      copyButton('Copy as curl', () => command(address)),
    ),
  );
  return details;
}

/** The command that sends a first event, for a page without events. */
export function firstEventHint() {
  const command = [
    `curl ${authorization()}${urlOf('/events/')} -H 'Content-Type: application/json' \\`,
    `  -d '{"session_id": "a", "category": "page interaction", "name": "pageview", "data": {"path": "/"}}'`,
  ].join('\n');
  return el(
    'div',
    { class: 'first' },
    el('p', {}, 'Send the first event from a shell:'),
    el('pre', { tabindex: 0 }, command),
    copyButton('Copy', () => command),
    el('p', { class: 'muted' }, 'or generate a week of demo events: ', el('code', {}, 'npm run demo')),
  );
}

/** @param {string} address */
function command(address) {
  const url = urlOf(address).replaceAll("'", '%27');
  return `curl ${authorization()}'${url}'`;
}

const authorization = () => (currentKey() === null ? '' : '-H "Authorization: Bearer $KEY" ');
