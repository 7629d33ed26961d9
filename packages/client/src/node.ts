import { createClient } from './client.js';
import { diskStore } from './disk-store.js';
import { memoryStore } from './store.js';
import type { Eye, EyeNodeOptions } from './types.js';

export { memoryStore } from './store.js';
export type * from './types.js';

/**
 * Creates a client in Node, Deno or Bun.
 *
 * @example
 * const eye = createEye({ url: 'http://127.0.0.1:8000', folder: 'events' });
 * await eye.track('started', { pid: process.pid }); // on disk
 * await eye.close();
 */
export function createEye(options: EyeNodeOptions): Eye {
  const { folder, url, key = '' } = options;
  const store = folder === undefined ? memoryStore() : diskStore(folder, `${url} ${key}`);
  return createClient(options, { store, maxQueued: 10_000, clockNoise: 0 }).eye;
}
