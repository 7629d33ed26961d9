import type { IncomingMessage } from 'node:http';
import { readOn, stopReading } from './connection-reading.js';

/**
 * Stops reading a body, and its connection. A request that is only paused is parsed on until 64 KiB of its body wait, which may
 * be as many chunks.
 */
export function pauseRequest(request: IncomingMessage): void {
  request.pause();
  stopReading(request.socket, request);
}

export function resumeRequest(request: IncomingMessage): void {
  readOn(request.socket, request);
  request.resume();
}
