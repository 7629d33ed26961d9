import { finished, type Readable } from 'node:stream';
import { environment } from '../../config/environment.js';

/**
 * Milliseconds without data after which a client counts as having stopped sending. A connection that is closed while
 * data still arrives is reset by the kernel, and the client loses the response.
 */
export const LINGER_TIMEOUT_MS = 1000;

/**
 * Waits until it is safe to close the connection of a request: its body has ended, no data came for LINGER_TIMEOUT_MS, or
 * REQUEST_TIMEOUT has passed. Something else must keep the body flowing.
 */
export function drainRequest(body: Readable, done: () => void): void {
  const linger = setTimeout(stop, LINGER_TIMEOUT_MS);
  const timeout = setTimeout(stop, environment.REQUEST_TIMEOUT);
  const removeListeners = finished(body, stop);
  body.on('data', () => linger.refresh());
  function stop(): void {
    removeListeners();
    clearTimeout(linger);
    clearTimeout(timeout);
    done();
  }
}
