import { ask, AskError } from '../../api/client.js';
import { el } from '../../page/dom.js';
import { counted } from '../../page/format.js';
import { panel } from '../../page/panel.js';

/** @typedef {import('../../api/shapes.js').Checks} Checks */

/** @type {Record<string, [name: string, up: (check: Checks[string]) => string, down: string]>} */
const WORDS = {
  postgresql: [
    'PostgreSQL',
    () => 'answers',
    'does not answer. Events are accepted and wait; nothing is lost.',
  ],
  redis: ['Redis', () => 'answers', 'does not answer. Senders are told to come back.'],
  backlog: [
    'The backlog',
    ({ events = 0 }) =>
      events === 0 ? 'is empty' : `has room: ${counted(events, 'event waits', 'events wait')}`,
    'is full. Senders are told to come back until workers have caught up.',
  ],
};

/** @param {import('../../page/panel.js').Screen} screen */
export function healthPanel(screen) {
  return panel(screen, {
    title: 'Health',
    address: '/health/ready',
    every: 5000,
    load: checks,
    show: (/** @type {Checks} */ found) =>
      el(
        'ul',
        { class: 'health' },
        ...Object.entries(found).map(([key, check]) => {
          const [name, up, down] = WORDS[key] ?? [key, () => 'is well', 'is not well.'];
          const well = check.status === 'up';
          return el('li', { class: check.status }, el('b', {}, name), ' ', well ? up(check) : down);
        }),
      ),
  });
}

/**
 * That something is down is an answer, too.
 * @param {string} address
 * @param {AbortSignal} signal
 * @returns {Promise<Checks>}
 */
async function checks(address, signal) {
  try {
    return /** @type {{ checks: Checks }} */ (await ask(address, { signal })).checks;
  } catch (error) {
    const body =
      error instanceof AskError ? /** @type {{ checks?: Checks } | undefined} */ (error.body) : undefined;
    if (body?.checks) return body.checks;
    throw error;
  }
}
