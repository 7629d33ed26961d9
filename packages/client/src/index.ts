import { createClient } from './client.js';
import { webStore } from './store.js';
import type { Eye, EyeOptions } from './types.js';

export { autoTrack, type Automatic } from './auto-track.js';
export { memoryStore } from './store.js';
export type * from './types.js';

/** The resolution of the clock in browsers. */
const CLOCK_NOISE_US = 100;

/**
 * Creates a client in a browser or a worker.
 *
 * @example
 * const eye = createEye({ url: 'https://eye.example', key: 'eye_ingest_…' });
 * eye.track('signup', { plan: 'pro' });
 */
export function createEye(options: EyeOptions): Eye {
  // Events of another key belong to another application.
  const store = webStore(`eye:${options.url} ${options.key} `);
  const { eye, sender } = createClient(options, { store, maxQueued: 1000, clockNoise: CLOCK_NOISE_US });
  // Not in Deno and service workers.
  if (IS_SCRIPT || typeof document !== 'undefined') {
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'hidden') sender.leave(false);
    });
    addEventListener('pagehide', () => sender.leave(true));
    for (const type of ['pageshow', 'online']) addEventListener(type, () => void sender.flush());
  }
  return eye;
}
