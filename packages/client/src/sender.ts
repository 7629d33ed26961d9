import { gzip } from './gzip.js';
import type { EyeEvent, EyeOptions, EyeProblem, Store } from './types.js';

/** Below this, compressing saves no packet. */
const MIN_GZIP_LENGTH = 1024;

/** Far below BODY_LIMIT of The Eye, whatever the events are. */
const MAX_BODY_LENGTH = 500_000;

/** Browsers hold 64 KiB of the requests that outlive their page. */
const MAX_LEAVING_BYTES = 60_000;

const MAX_RETRY_AFTER_MS = 3_600_000;

/** The body of The Eye's response to an array of events. */
interface Result {
  ids?: string[];
  rejected?: { index: number; errors: unknown }[];
  code?: string;
}

export interface Sender {
  /** Resolves with true once the event is in the queue. */
  add(key: string, json: string): Promise<boolean>;
  flush(): Promise<boolean>;
  /** Sends what this page has added by requests that outlive it. */
  leave(isLast: boolean): void;
  /** Sends until the queue is empty or the milliseconds are over, and stops. Resolves with whether the queue is empty. */
  close(timeout: number): Promise<boolean>;
}

/**
 * Sends the events of a store, one batch after the other, until The Eye has responded about them.
 * @param maxQueued events that wait at most
 * @param report reports a problem to the application, and never throws
 */
export function createSender(
  options: EyeOptions,
  store: Store,
  maxQueued: number,
  report: (problem: EyeProblem) => void,
): Sender {
  const { url, key } = options;
  const interval = (!IS_SCRIPT && options.interval) || 1000;
  const batch = (!IS_SCRIPT && options.batch) || 100;
  const timeout = (!IS_SCRIPT && options.timeout) || 30_000;
  const maxDelay = (!IS_SCRIPT && options.maxDelay) || 300_000;
  const address = new URL('events/', url.replace(/\/*$/, '/'));
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  if (!IS_SCRIPT && typeof location === 'undefined') {
    if (key) headers['authorization'] = `Bearer ${key}`;
  } else {
    // What needs no preflight: the key in the address, and a body of text. The Eye reads it as JSON from other origins only.
    if (key) address.searchParams.set('key', key);
    if (address.origin !== location.origin) headers['content-type'] = 'text/plain';
  }

  let maxBatch = batch;
  let batchSize = batch;
  let failures = 0;
  let hasReportedRefusal = false;
  let zip = IS_SCRIPT || (options.gzip ?? true);
  let hasZipped = false;
  let queued = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let sending: Promise<boolean> | undefined;
  let isClosed = false;
  let cancel: (() => void) | undefined;
  let onEmpty: (() => void) | undefined;
  /** The keys of what this page has added. Other tabs may have removed some of it from the store. */
  const own = new Set<string>();
  const inFlight = new Set<string>();
  /** The keys of what `leave` has sent, without a response yet. */
  const left = new Set<string>();

  const remove = (keys: string[]): void =>
    keys.forEach((key) => {
      store.remove(key);
      own.delete(key);
      left.delete(key);
    });

  /** Removes the oldest events beyond the maximum, and counts the others. */
  const trim = (): void => {
    const keys = store.keys();
    queued = Math.min(keys.length, maxQueued);
    for (const key of keys.slice(0, keys.length - queued)) {
      const json = IS_SCRIPT ? '' : store.get(key);
      remove([key]);
      if (!IS_SCRIPT && json) report({ code: 'overflow', event: JSON.parse(json) as EyeEvent });
    }
  };

  const schedule = (delay: number): void => {
    clearTimeout(timer);
    if (!IS_SCRIPT && isClosed) return;
    timer = setTimeout(() => void flush(), delay);
    // A Node process waits for a batch to be sent, but not for a server to come back.
    if (!IS_SCRIPT && failures) (timer as { unref?: () => void }).unref?.();
  };

  /**
   * Sends the events of some keys.
   * @returns milliseconds to wait before the next attempt
   */
  const attempt = async (keys: string[], events: string[], isLeaving = false): Promise<number> => {
    const text = `[${events.join()}]`;
    const abort = new AbortController();
    if (!IS_SCRIPT && !isLeaving) cancel = () => abort.abort();
    const zipped =
      zip && !isLeaving && text.length > MIN_GZIP_LENGTH
        ? await gzip(text).catch(() => undefined)
        : undefined;
    const deadline = setTimeout(() => abort.abort(), timeout);
    let response: Response | undefined;
    let result: Result | undefined;
    try {
      response = await ((!IS_SCRIPT && options.fetch) || fetch)(address.href, {
        method: 'POST',
        body: zipped ?? text,
        headers,
        credentials: 'omit',
        keepalive: isLeaving,
        signal: abort.signal,
      });
      result = (await response.json()) as Result;
    } catch {
      // No response, or one that is cut off or not of The Eye: the events stay.
    }
    clearTimeout(deadline);
    const status = response?.status ?? 0;
    const reject = (index: number, detail: unknown): void => {
      if (IS_SCRIPT) return;
      report({ code: 'rejected', status, event: JSON.parse(events[index] ?? 'null') as EyeEvent, detail });
    };

    if (response?.ok && result?.ids) {
      remove(keys);
      hasZipped ||= !!zipped;
      failures = 0;
      if (!IS_SCRIPT) hasReportedRefusal = false;
      batchSize = Math.min(maxBatch, batchSize * 2);
      if (!IS_SCRIPT) result.rejected?.forEach(({ index, errors }) => reject(index, errors));
      return 0;
    }
    if (zipped && !hasZipped && (status === 400 || status === 415)) {
      // An older Eye, or a proxy, that cannot read it.
      zip = false;
      return 0;
    }
    if (status === 400 && result?.code) {
      remove(keys);
      if (!IS_SCRIPT) {
        const { rejected } = result;
        events.forEach((_, index) =>
          reject(index, rejected?.find((item) => item.index === index)?.errors ?? result),
        );
      }
      return 0;
    }
    // Too large, too many for the quota, or too slow: smaller ones may pass.
    batchSize = Math.max(1, events.length >> 1);
    if (status === 413) {
      if (events.length > 1) maxBatch = batchSize;
      else {
        // It is the event that is too large, not the batch.
        remove(keys);
        if (!IS_SCRIPT) reject(0, result);
      }
      return 0;
    }
    const isRefused = status > 299 && status < 500 && status !== 408 && status !== 429;
    if (!IS_SCRIPT && isRefused && !hasReportedRefusal) {
      hasReportedRefusal = true;
      report({ code: 'refused', status, detail: result });
    }
    const backoff = isRefused ? maxDelay : Math.min(maxDelay, 1000 * 2 ** failures++);
    failures ||= 1;
    const after = response?.headers.get('retry-after');
    const asked = after ? Number(after) * 1000 || Date.parse(after) - Date.now() : 0;
    // Never before the time that was asked for; and not all clients at once.
    return asked > 0
      ? Math.min(asked, MAX_RETRY_AFTER_MS) * (1 + Math.random() / 4)
      : backoff * (0.5 + Math.random() / 2);
  };

  /** Sends until the queue is empty or an attempt fails. */
  const drain = async (): Promise<void> => {
    trim();
    for (let keys; (keys = store.keys().slice(0, batchSize)).length && (IS_SCRIPT || !isClosed);) {
      const events: string[] = [];
      const sent: string[] = [];
      let length = 0;
      for (const key of keys) {
        const json = store.get(key);
        if (!json) continue;
        if (length && length + json.length > MAX_BODY_LENGTH) break;
        length += json.length;
        events.push(json);
        sent.push(key);
      }
      // Another tab has just sent them.
      if (!sent.length) continue;
      sent.forEach((key) => inFlight.add(key));
      const delay = await attempt(sent, events);
      sent.forEach((key) => inFlight.delete(key));
      if (delay) return schedule(delay);
    }
  };

  const run = async (): Promise<boolean> => {
    clearTimeout(timer);
    timer = undefined;
    try {
      if (!IS_SCRIPT) await store.ready?.();
      const hasRun = store.exclusively ? await store.exclusively(drain) : (await drain(), true);
      if (!hasRun) schedule(interval);
    } catch (detail) {
      if (!IS_SCRIPT) report({ code: 'failed', detail });
    }
    queued = store.keys().length;
    return !queued;
  };

  const flush = (): Promise<boolean> =>
    (sending ??= run().finally(() => {
      sending = undefined;
      if (!IS_SCRIPT && !queued) onEmpty?.();
      // What came at the end of the run.
      if (queued && !timer) schedule(interval);
    }));

  const added = (key: string): boolean => {
    own.add(key);
    if (++queued > maxQueued) trim();
    if (!failures && queued >= batchSize) void flush();
    else if (!timer && !sending) schedule(interval);
    return true;
  };

  // What an earlier page or process left.
  if (!IS_SCRIPT && store.ready) {
    store.ready().then(
      () => store.keys().length && !timer && schedule(0),
      (detail: unknown) => report({ code: 'failed', detail }),
    );
  } else if ((queued = store.keys().length)) schedule(interval * Math.random());

  const sender: Sender = {
    async add(key, json) {
      if (!IS_SCRIPT && isClosed) return false;
      const pending = store.add(key, json);
      // A page may be gone before a promise resolves.
      if (!IS_SCRIPT && pending) await pending;
      return added(key);
    },
    async flush() {
      if (!IS_SCRIPT) {
        // A run that has begun may not find what is being written. It reports why a store is not ready.
        await store.ready?.().catch(() => undefined);
        await sending;
      }
      return flush();
    },
    leave(isLast) {
      const keys: string[] = [];
      const events: string[] = [];
      let size = 2;
      for (const key of own) {
        const json = store.get(key);
        if (!json) own.delete(key);
        else if (!left.has(key) && (isLast || !inFlight.has(key))) {
          if ((size += new Blob([json]).size + 1) > MAX_LEAVING_BYTES) break;
          keys.push(key);
          events.push(json);
        }
      }
      if (!keys.length) return;
      keys.forEach((key) => left.add(key));
      if ('keepalive' in Request.prototype) void attempt(keys, events, true);
      else navigator.sendBeacon(address.href, `[${events.join()}]`);
      // If the page was only hidden, what gets no response is sent again with the others.
      if (!timer && !sending) schedule(interval);
    },
    async close(closeTimeout) {
      if (!IS_SCRIPT) {
        // After a long outage, the next attempt would be minutes away.
        failures = 0;
        const drained = async (): Promise<void> => {
          if (!(await sender.flush())) await new Promise<void>((resolve) => (onEmpty = resolve));
        };
        let deadline: typeof timer;
        const timedOut = new Promise<void>((resolve) => (deadline = setTimeout(resolve, closeTimeout)));
        if (closeTimeout > 0) await Promise.race([drained(), timedOut]);
        clearTimeout(deadline);
        isClosed = true;
        clearTimeout(timer);
        cancel?.();
        await store.close?.();
      }
      return !store.keys().length;
    },
  };
  return sender;
}
