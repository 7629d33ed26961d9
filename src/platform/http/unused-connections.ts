import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Ends the connections on which nothing ever came, such as programs open in advance. Node counts them as busy, so that
 * one of them would hold up an orderly stop.
 */
export function trackUnusedConnections(server: Server): { close(): void } {
  const connections = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
  });
  return {
    close: () => {
      for (const socket of connections) if (socket.bytesRead === 0) socket.destroy();
    },
  };
}
