import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';

export type ServerName = 'postgres' | 'redis';

/** What an application says to the keeper, once. It leaves by closing the connection, willingly or by dying. */
export interface Join {
  readonly join: readonly ServerName[];
}

/** What the keeper says; `working` only shows that it is alive while it says nothing else. */
export type Answer =
  | { readonly type: 'working' }
  | { readonly type: 'log'; readonly line: string }
  | { readonly type: 'ready' }
  | { readonly type: 'failed'; readonly message: string };

/** Sends one message as one line of JSON. */
export function send(socket: Socket, message: Join | Answer): void {
  if (socket.writable) socket.write(`${JSON.stringify(message)}\n`);
}

/** Hands over each message that arrives. The sender is this program itself, so its shape is trusted. */
export function receive<T extends Join | Answer>(socket: Socket, take: (message: T) => void): void {
  createInterface({ input: socket })
    .on('line', (line) => take(JSON.parse(line) as T))
    .on('error', () => undefined); // It repeats the socket's own errors.
}
