import { AskError, send } from './client.js';

/** Milliseconds before a stream that ended is opened again. */
const PAUSE = 2000;
/** Milliseconds of silence after which a stream counts as dead: three heartbeats. */
const SILENCE = 15_000;

/**
 * Follows the events as they are stored, until `signal` ends it, and opens the stream again when it breaks. Read with
 * fetch, since an EventSource can send no key but in its address.
 * @param {string} address
 * @param {AbortSignal} signal
 * @param {{
 *   event: (event: import('./shapes.js').StoredEvent) => void,
 *   skipped: (count: number | null) => void,
 *   state: (trouble: string) => void,
 * }} listener `skipped`: how many events were left out, null where nobody knows; `state`: what is wrong, or nothing
 */
export async function follow(address, signal, listener) {
  /** @type {string | undefined} */
  let lastId;
  while (!signal.aborted) {
    const silent = new AbortController();
    try {
      const headers = { accept: 'text/event-stream', ...(lastId && { 'last-event-id': lastId }) };
      const ends = AbortSignal.any([signal, silent.signal]);
      const body = await send(address, { signal: ends, headers }, streamOf);
      listener.state('');
      for await (const { id, event, data } of messages(body, () => silent.abort())) {
        if (id !== undefined) lastId = id;
        if (data === '') continue;
        if (event === 'event') listener.event(JSON.parse(data));
        else if (event === 'skipped') listener.skipped(JSON.parse(data).count);
      }
      listener.state('The stream ended. Opening it again…');
    } catch (error) {
      if (signal.aborted) return;
      const known = error instanceof AskError;
      listener.state(known ? error.message : 'The stream broke off. Opening it again…');
      if (known && !error.passing) return;
    }
    await rest(PAUSE, signal);
  }
}

/** @param {Response} response */
const streamOf = ({ body }) => /** @type {ReadableStream<Uint8Array<ArrayBuffer>>} */ (body);

/**
 * The messages of a server-sent stream; those without data tell nothing, but where it is.
 * @param {ReadableStream<Uint8Array<ArrayBuffer>>} body
 * @param {() => void} giveUp called when nothing has come for too long
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
 * @returns {AsyncGenerator<{ id?: string, event: string, data: string }>}
 */
async function* messages(body, giveUp) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  let message = { event: 'message', data: '' };
  for (;;) {
    const timer = setTimeout(giveUp, SILENCE);
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
 * @param {number} milliseconds
 * @param {AbortSignal} signal
 */
export function rest(milliseconds, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds, undefined);
    signal.addEventListener('abort', () => (clearTimeout(timer), resolve(undefined)), { once: true });
  });
}
