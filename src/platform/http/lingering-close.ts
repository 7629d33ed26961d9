import { finished, type Readable } from 'node:stream';
import { environment } from '../config/environment.js';

/** Milliseconds for which more is taken and thrown away: cut off while he sends, a sender would lose the answer. */
export const LINGER_TIMEOUT_MS = 1000;

/** Calls back once a body has come, its sender has made a pause, or his time is up. */
export function drainRequest(body: Readable, done: () => void): void {
  const pause = setTimeout(stop, LINGER_TIMEOUT_MS);
  const timeout = setTimeout(stop, environment.REQUEST_TIMEOUT);
  const forget = finished(body, stop);
  body.on('data', () => pause.refresh());
  function stop(): void {
    forget();
    clearTimeout(pause);
    clearTimeout(timeout);
    done();
  }
}
