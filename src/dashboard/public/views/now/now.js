import { el } from '../../page/dom.js';
import { healthPanel } from './health.js';
import { ratesPanel } from './rates.js';
import { tailPanel } from './tail.js';

/** @type {import('../../main.js').View} Rates, health and the live tail. */
export function nowView(screen) {
  return {
    title: 'Now',
    content: [
      el('h1', { class: 'unseen', tabindex: -1 }, 'Now'),
      el('div', { class: 'columns' }, ratesPanel(screen), healthPanel(screen)),
      tailPanel(screen),
    ],
  };
}
