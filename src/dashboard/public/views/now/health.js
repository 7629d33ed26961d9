import { fetchJson, ApiError } from '../../api/client.js';
import { el } from '../../page/dom.js';
import { counted, duration } from '../../page/format.js';
import { panel } from '../../page/panel.js';

/** @typedef {import('../../api/shapes.js').Checks} Checks */

/** @type {Record<string, [name: string, up: (check: Checks[string]) => string, down: string]>} */
const TEXTS = {
  postgresql: ['PostgreSQL', () => 'is up', 'is down. Events are accepted and queued; none is lost.'],
  redis: ['Redis', () => 'is up', 'is down. New events are refused with 503, so that senders retry.'],
  backlog: [
    'The backlog',
    ({ events = 0 }) => (events === 0 ? 'is empty' : `has room: ${counted(events, 'event')} waiting`),
    'is full. New events are refused with 503 until the workers have caught up.',
  ],
  clickhouse: [
    'ClickHouse',
    () => 'is up',
    'is down. Events are stored and listed all the same; counts, sessions and other questions get 503.',
  ],
  replication: ['The copy in ClickHouse', describeCopy, ''],
};

/** Seconds of a lag that is as usual. */
const USUAL_LAG = 5;

/** Seconds of a lag that an alert reports (CopyIsBehind). */
const MAX_LAG = 60;

/** @param {Checks[string]} check */
function describeCopy({ lag_seconds: lag = null, backlog_events: waiting = 0 }) {
  const left = `${counted(waiting, 'event')} waiting`;
  if (lag === null) return `is being made: ${left}`;
  return lag < USUAL_LAG ? 'is up to date' : `is ${duration(lag)} behind: ${left}`;
}

/** @param {import('../../page/panel.js').Screen} screen */
export function healthPanel(screen) {
  return panel(screen, {
    title: 'Health',
    address: '/health/ready',
    intervalMs: 5000,
    load: checks,
    show: (/** @type {Checks} */ found) =>
      el(
        'ul',
        { class: 'health' },
        ...Object.entries(found).map(([key, check]) => {
          const [name, up, down] = TEXTS[key] ?? [key, () => 'is up', 'is down.'];
          const isUp = check.status === 'up';
          const isGood = isUp && (check.lag_seconds ?? 0) <= MAX_LAG;
          return el('li', { class: isGood ? 'up' : 'down' }, el('b', {}, name), ' ', isUp ? up(check) : down);
        }),
      ),
  });
}

/**
 * The checks. A response with status 503 lists them too.
 * @param {string} address
 * @param {AbortSignal} signal
 * @returns {Promise<Checks>}
 */
async function checks(address, signal) {
  try {
    return /** @type {{ checks: Checks }} */ (await fetchJson(address, { signal })).checks;
  } catch (error) {
    const body =
      error instanceof ApiError ? /** @type {{ checks?: Checks } | undefined} */ (error.body) : undefined;
    if (body?.checks) return body.checks;
    throw error;
  }
}
