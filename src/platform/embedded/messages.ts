import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { ServerName } from './servers.js';

/** The one message of a client to the supervisor. The client keeps the connection open for as long as it needs them. */
export interface ServersRequest {
  /** The reply follows when these are ready. */
  readonly servers: readonly ServerName[];
  /** The reply does not wait for these, and does not report their failure. */
  readonly background: readonly ServerName[];
}

/** A message of the supervisor to a client. `ready` or `failed` is the reply to its request; `log` may come at any time. */
export type SupervisorMessage =
  | { readonly type: 'ready' }
  | { readonly type: 'failed'; readonly message: string }
  | { readonly type: 'log'; readonly line: string };

type Message = ServersRequest | SupervisorMessage;

/** Writes a message as one line of JSON, unless the connection has ended. */
export function sendMessage<M extends Message>(socket: Socket, message: M): void {
  if (socket.writable) socket.write(`${JSON.stringify(message)}\n`);
}

/** Calls `onMessage` for each message. Both ends are this program, so messages are not validated. */
export function receiveMessages<M extends Message>(socket: Socket, onMessage: (message: M) => void): void {
  createInterface({ input: socket })
    .on('line', (line) => onMessage(JSON.parse(line) as M))
    .on('error', () => undefined); // readline repeats the errors of the socket, which has a handler of its own.
}
