import type { IncomingMessage } from 'node:http';

/**
 * Stops reading a body, and its connection. A request that is only paused is parsed on until 64 KiB of its body wait, which may
 * be as many chunks.
 */
export function pauseRequest(request: IncomingMessage): void {
  request.pause();
  request.socket.pause();
}

export function resumeRequest(request: IncomingMessage): void {
  request.socket.resume();
  request.resume();
}
