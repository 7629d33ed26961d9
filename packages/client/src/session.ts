/** 128 random bits. `crypto.randomUUID()` does not exist on pages without TLS. */
export const randomId = (): string =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');

/** In sessionStorage, which ends with the tab. */
const KEY = 'eye:session';

/** Returns the id of the session, a new one after so many milliseconds without a call. */
export function createSession(timeout: number): () => string {
  let session = '';
  return () => {
    const now = Date.now();
    try {
      session = sessionStorage.getItem(KEY) ?? session;
    } catch {
      // A browser may forbid storage, and other platforms have none.
    }
    const [known, seen] = session.split(' ');
    const id = known && now - Number(seen) <= timeout ? known : randomId();
    session = `${id} ${now}`;
    try {
      sessionStorage.setItem(KEY, session);
    } catch {
      // As above.
    }
    return id;
  };
}
