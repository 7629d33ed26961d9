import { addressOf, AskError, problemOf, send } from './client.js';

/** Milliseconds before a stream that ended is opened again. */
const PAUSE = 2000;

/**
 * Follows the events as they are stored, until `signal` ends it, and opens the stream again when it breaks. Read with
 * fetch, since an EventSource can send no key but in its address.
 * @param {Record<string, string | undefined>} filters
 * @param {AbortSignal} signal
 * @param {{
 *   event: (event: import('./shapes.js').StoredEvent) => void,
 *   skipped: (count: number) => void,
 *   state: (state: 'open' | 'broken', reason?: string) => void,
 * }} listener
 */
export async function follow(filters, signal, listener) {
  /** @type {string | undefined} */
  let lastId;
  while (!signal.aborted) {
    try {
      const headers = { accept: 'text/event-stream', ...(lastId && { 'last-event-id': lastId }) };
      const response = await send(addressOf('/events/stream', filters), { signal, headers });
      if (!response.ok || response.body === null) throw await problemOf(response);
      listener.state('open');
      for await (const { id, event, data } of messages(response.body)) {
        if (id !== undefined) lastId = id;
        if (event === 'event')
          listener.event(/** @type {import('./shapes.js').StoredEvent} */ (JSON.parse(data)));
        else if (event === 'skipped')
          listener.skipped(/** @type {{ count: number }} */ (JSON.parse(data)).count);
      }
      listener.state('broken', 'The stream ended.');
    } catch (error) {
      if (signal.aborted) return;
      listener.state('broken', error instanceof AskError ? error.message : 'The stream broke off.');
      if (error instanceof AskError && !error.passing) return;
    }
    await rest(PAUSE, signal);
  }
}

/**
 * The messages of a server-sent stream.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
 * @param {ReadableStream<Uint8Array<ArrayBuffer>>} body
 * @returns {AsyncGenerator<{ id?: string, event: string, data: string }>}
 */
async function* messages(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  let message = { event: 'message', data: '' };
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest + value).split(/\r?\n/);
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line === '') {
        if (message.data !== '') yield message;
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
 * @param {number} milliseconds
 * @param {AbortSignal} signal
 */
export function rest(milliseconds, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds, undefined);
    signal.addEventListener('abort', () => (clearTimeout(timer), resolve(undefined)), { once: true });
  });
}
