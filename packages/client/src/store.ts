import type { Store } from './types.js';

/** A queue that ends with the page or the process. */
export function memoryStore(): Store {
  const events = new Map<string, string>();
  return {
    keys: () => [...events.keys()],
    get: (key) => events.get(key),
    add: (key, json) => void events.set(key, json),
    remove: (key) => void events.delete(key),
  };
}

/**
 * A queue in localStorage, which survives reloads and closed tabs. All tabs of an origin share it, so what one tab leaves is
 * sent by another. Without storage, and for what it has no room for, the queue is in memory.
 * @param prefix of its keys
 */
export function webStore(prefix: string): Store {
  const memory = memoryStore();
  let storage: Storage;
  try {
    // Throws where the browser forbids storage.
    storage = localStorage;
    storage.getItem(prefix);
  } catch {
    return memory;
  }
  return {
    keys: () =>
      Object.keys(storage)
        .filter((key) => key.startsWith(prefix))
        .map((key) => key.slice(prefix.length))
        .concat(memory.keys())
        .sort(),
    get: (key) => memory.get(key) ?? storage.getItem(prefix + key),
    add(key, json) {
      try {
        storage.setItem(prefix + key, json);
      } catch {
        void memory.add(key, json);
      }
    },
    remove(key) {
      memory.remove(key);
      storage.removeItem(prefix + key);
    },
    async exclusively(work) {
      // Pages without TLS have no locks. Then two tabs may send the same event, which The Eye stores once.
      const { locks } = navigator as Partial<Navigator>;
      if (!locks) {
        await work();
        return true;
      }
      return locks.request(prefix, { ifAvailable: true }, async (lock) => {
        if (lock) await work();
        return lock !== null;
      });
    },
  };
}
