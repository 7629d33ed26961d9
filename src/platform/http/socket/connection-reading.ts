import type { Socket } from 'node:net';

/** Why each connection is not read: the objects for which that was asked. */
const reasons = new WeakMap<Socket, Set<object>>();

/**
 * Stops reading a connection until `readOn` was called for each reason. To pause the socket is not enough: Node resumes it after
 * each request that it has parsed, and when a body has room for more. One that was paused meanwhile would then be read without
 * any bound, because a socket that is paused already is not stopped again.
 */
export function stopReading(socket: Socket, reason: object): void {
  const known = reasons.get(socket) ?? new Set();
  if (known.has(reason)) return;
  reasons.set(socket, known.add(reason));
  if (known.size > 1) return;
  socket.resume = () => socket;
  // One that was resumed in this turn says so in the next.
  socket.on('resume', stopAgain);
  socket.pause();
}

/** Takes a reason back. Reads the connection if there is no other. */
export function readOn(socket: Socket, reason: object): void {
  const known = reasons.get(socket);
  if (!known?.delete(reason) || known.size > 0) return;
  socket.off('resume', stopAgain);
  Reflect.deleteProperty(socket, 'resume');
  socket.resume();
}

/** Node stops reading at this event, which the socket does not send a second time by itself. */
function stopAgain(this: Socket): void {
  this.emit('pause');
}
