import { createClock, formatMicroseconds } from './clock.js';
import { pageData } from './page.js';
import { createSender, type Sender } from './sender.js';
import { createSession, randomId } from './session.js';
import type { Eye, EyeEvent, EyeOptions, EyeProblem, Store } from './types.js';

const DEFAULT_SESSION_TIMEOUT_MS = 30 * 60_000;

const CLOSE_TIMEOUT_MS = 5000;

/** Whether the visitor sends a signal that the application respects. */
function hasOptedOut(respect: EyeOptions['respect'] = []): boolean {
  const { doNotTrack, globalPrivacyControl } = (
    !IS_SCRIPT && typeof navigator === 'undefined' ? {} : navigator
  ) as {
    doNotTrack?: string;
    globalPrivacyControl?: boolean;
  };
  return (
    (respect.includes('dnt') && doNotTrack === '1') || (respect.includes('gpc') && !!globalPrivacyControl)
  );
}

const resolveSession = (session: EyeOptions['session']): string | undefined =>
  typeof session === 'function' ? session() : session;

/** What a platform brings. */
interface Platform {
  store: Store;
  maxQueued: number;
  /** See `createClock`. */
  clockNoise: number;
}

/** A client, and its sender, which only the events of a page use. */
export function createClient(
  options: EyeOptions,
  { store, maxQueued, clockNoise }: Platform,
): { eye: Eye; sender: Sender } {
  const ownSession = createSession((!IS_SCRIPT && options.sessionTimeout) || DEFAULT_SESSION_TIMEOUT_MS);
  const report = (problem: EyeProblem): void => {
    if (IS_SCRIPT) return;
    try {
      options.onError?.(problem);
    } catch {
      // An error of the application's own hook is not thrown into other code of it.
    }
  };
  const sender = createSender(
    options,
    (!IS_SCRIPT && options.store) || store,
    (!IS_SCRIPT && options.maxQueued) || maxQueued,
    report,
  );
  const now = createClock(clockNoise);
  // Two tabs may add to one store in the same microsecond.
  const instance = randomId().slice(0, 8);
  let closing: Promise<boolean> | undefined;

  const eye: Eye = {
    async track(name, data = {}, fields = {}) {
      let event: EyeEvent | null | undefined | void;
      try {
        if (hasOptedOut(options.respect)) return false;
        const time = now();
        event = {
          session_id: fields.session_id ?? ((!IS_SCRIPT && resolveSession(options.session)) || ownSession()),
          category: fields.category ?? options.category ?? 'track',
          name,
          data,
          timestamp: fields.timestamp ?? formatMicroseconds(time),
        };
        if (!IS_SCRIPT && options.beforeSend) event = options.beforeSend(event);
        return event ? await sender.add(time + instance, JSON.stringify(event)) : false;
      } catch (detail) {
        if (!IS_SCRIPT) report({ code: 'failed', ...(event && { event }), detail });
        return false;
      }
    },
    page: (data) => eye.track('pageview', { ...pageData(), ...data }, { category: 'page interaction' }),
    flush: () => sender.flush(),
    // Without it, a page sends what waits when it ends.
    close: (timeout = CLOSE_TIMEOUT_MS) => (IS_SCRIPT ? sender.flush() : (closing ??= sender.close(timeout))),
  };
  return { eye, sender };
}
