import { ApiError, send } from './client.js';

const RECONNECT_DELAY_MS = 2000;
/** Time without any byte after which a stream has failed: three heartbeats. */
const STALL_TIMEOUT_MS = 15_000;

/**
 * Reads the event stream until `signal` aborts, and reconnects when the stream breaks. Uses fetch, because an EventSource
 * can send a key only in its URL.
 * @param {string} address
 * @param {AbortSignal} signal
 * @param {{
 *   event: (event: import('./shapes.js').StoredEvent) => void,
 *   skipped: (count: number | null) => void,
 *   state: (trouble: string) => void,
 * }} listener `skipped`: the number of events that were left out, or null if it is unknown; `state`: an error message, or an empty text once the stream is open
 */
export async function readStream(address, signal, listener) {
  /** @type {string | undefined} */
  let lastId;
  while (!signal.aborted) {
    const stalled = new AbortController();
    try {
      const headers = { accept: 'text/event-stream', ...(lastId && { 'last-event-id': lastId }) };
      const either = AbortSignal.any([signal, stalled.signal]);
      const body = await send(address, { signal: either, headers }, streamOf);
      listener.state('');
      for await (const { id, event, data } of parseMessages(body, () => stalled.abort())) {
        if (id !== undefined) lastId = id;
        if (data === '') continue;
        if (event === 'event') listener.event(JSON.parse(data));
        else if (event === 'skipped') listener.skipped(JSON.parse(data).count);
      }
      listener.state('The stream ended. Reconnecting…');
    } catch (error) {
      if (signal.aborted) return;
      const isApiError = error instanceof ApiError;
      listener.state(isApiError ? error.message : 'The stream was interrupted. Reconnecting…');
      if (isApiError && !error.isTransient) return;
    }
    await delay(RECONNECT_DELAY_MS, signal);
  }
}

/** @param {Response} response */
const streamOf = ({ body }) => /** @type {ReadableStream<Uint8Array<ArrayBuffer>>} */ (body);

/**
 * Parses server-sent events. A message without data only carries an id, from which a new connection continues.
 * @param {ReadableStream<Uint8Array<ArrayBuffer>>} body
 * @param {() => void} onStall called when no byte has arrived for STALL_TIMEOUT_MS
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
 * @returns {AsyncGenerator<{ id?: string, event: string, data: string }>}
 */
async function* parseMessages(body, onStall) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  let message = { event: 'message', data: '' };
  for (;;) {
    const timer = setTimeout(onStall, STALL_TIMEOUT_MS);
    const { done, value } = await reader.read().finally(() => clearTimeout(timer));
    if (done) return;
    const lines = (rest + value).split(/\r?\n/);
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line === '') {
        yield message;
        message = { event: 'message', data: '' };
        continue;
      }
      const [, field, text] = /^([^:]*):? ?(.*)$/.exec(line) ?? [];
      if (field === 'data') message.data += message.data === '' ? text : `\n${text}`;
      else if (field === 'event' || field === 'id') message = { ...message, [field]: text };
    }
  }
}

/**
 * Resolves after the time, or earlier when `signal` aborts.
 * @param {number} milliseconds
 * @param {AbortSignal} signal
 */
export function delay(milliseconds, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds, undefined);
    signal.addEventListener('abort', () => (clearTimeout(timer), resolve(undefined)), { once: true });
  });
}
