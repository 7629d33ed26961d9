import type { IncomingMessage, ServerResponse } from 'node:http';
import { finished } from 'node:stream';
import { environment } from '../../config/environment.js';
import { readOn } from './connection-reading.js';
import { pauseRequest, resumeRequest } from './pause-request.js';

/**
 * Milliseconds without data after which a client counts as having stopped sending. A connection that is closed while
 * data still arrives is reset by the kernel, and the client loses the response.
 */
export const LINGER_TIMEOUT_MS = 1000;

/** Bytes of one body that are discarded at most. A client that sends more will not read its response. */
const MAX_BYTES = 4 * environment.BODY_LIMIT;

/**
 * Bytes of all such bodies that a process discards in a millisecond: 32 MiB/s. Node reads up to 2 MiB from each connection
 * before it serves the next one, so that a flood that is discarded as fast as it comes makes everybody wait.
 */
const BYTES_PER_MS = (32 * 1024 * 1024) / 1000;

/** What a chunk counts at least when it is discarded: however small, it is parsed on its own, which takes microseconds. */
const MIN_DISCARDED_BYTES = 2048;

/** Milliseconds by which the process may be ahead of that pace. */
const MAX_BURST_MS = 20;

/**
 * Milliseconds from which on a connection is closed instead of waiting for its turn. In a flood of new connections, others would
 * wait for minutes, and those whose clients have left would stay: a connection that is not read does not notice that.
 */
const MAX_DELAY_MS = 2000;

/** When the bytes that were discarded so far are paid for, on the clock of `performance.now()`. */
let paidUntil = 0;

/** @returns milliseconds to wait before the next bytes are read, MAX_DELAY_MS at most; negative while there is no need to */
function delayAfter(bytes: number): number {
  const now = performance.now();
  const delayMs = Math.max(paidUntil - now, -MAX_BURST_MS) + bytes / BYTES_PER_MS;
  const bounded = Math.min(delayMs, MAX_DELAY_MS);
  paidUntil = now + bounded;
  return bounded;
}

/**
 * Discards the rest of a request until it is safe to end its response: the body has ended, no data came for
 * LINGER_TIMEOUT_MS, REQUEST_TIMEOUT has passed, MAX_BYTES were discarded, or too many others wait for their turn. If the body is
 * still incomplete when the response ends, the connection is closed.
 */
export function drainRequest(request: IncomingMessage, response: ServerResponse, done: () => void): void {
  const timeout = setTimeout(stop, environment.REQUEST_TIMEOUT);
  let timer = setTimeout(stop, LINGER_TIMEOUT_MS);
  let discarded = 0;
  const removeListeners = finished(request, stop);
  request.on('data', discard);
  resumeRequest(request);
  // Otherwise Node would read the rest of the body, without any bound.
  response.once('finish', () => request.complete || request.socket.destroySoon());

  function discard({ length }: Buffer): void {
    clearTimeout(timer);
    const bytes = Math.max(length, MIN_DISCARDED_BYTES);
    discarded += bytes;
    const delayMs = delayAfter(bytes);
    if (discarded > MAX_BYTES || delayMs >= MAX_DELAY_MS) return stop();
    if (delayMs > 1) {
      pauseRequest(request);
      timer = setTimeout(resume, delayMs);
    } else timer = setTimeout(stop, LINGER_TIMEOUT_MS);
  }

  function resume(): void {
    timer = setTimeout(stop, LINGER_TIMEOUT_MS);
    resumeRequest(request);
  }

  function stop(): void {
    removeListeners();
    clearTimeout(timer);
    clearTimeout(timeout);
    request.off('data', discard).pause();
    // The last bytes may have paused it, and the body ends all the same. The next request of the connection must be read.
    if (request.complete) readOn(request.socket, request);
    done();
  }
}
