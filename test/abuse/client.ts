import { once } from 'node:events';
import { Agent, request as httpRequest } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

/** After this time, a response counts as missing. */
const RESPONSE_TIMEOUT_MS = 30_000;

export interface SendOptions {
  headers?: Record<string, string | string[]>;
  body?: Buffer | string;
}

/** The responses that one attacker has received. */
export class Tally {
  /** Responses by status; 0 counts requests without one. */
  readonly statuses: Record<string, number> = {};
  /** Bytes of the largest response. */
  largest = 0;

  count(status: number, bytes = 0): void {
    this.statuses[status] = (this.statuses[status] ?? 0) + 1;
    this.largest = Math.max(this.largest, bytes);
  }
}

/** Sends the requests of an attack: as an HTTP client, or as bytes on a connection of its own. */
export class Client {
  private readonly agent = new Agent({ keepAlive: true });
  private readonly sockets = new WeakSet<Socket>();
  private readonly url: URL;

  /**
   * @param key shown with every request; undefined for none
   * @param signal aborted when the attack ends
   */
  constructor(
    url: string,
    readonly key: string | undefined,
    readonly signal: AbortSignal,
    private readonly tally: Tally,
  ) {
    this.url = new URL(url);
    signal.addEventListener('abort', () => this.agent.destroy());
  }

  get host(): string {
    return this.url.host;
  }

  /** Sends a request and discards its response. Resolves with the status; 0 without a response. */
  send(method: string, path: string, { headers = {}, body }: SendOptions = {}): Promise<number> {
    return new Promise<number>((resolve) => {
      let status = 0;
      let bytes = 0;
      const sent = httpRequest({
        agent: this.agent,
        method,
        path,
        host: this.url.hostname,
        port: this.url.port,
        headers: {
          ...this.credentials,
          ...(body !== undefined && { 'content-length': Buffer.byteLength(body) }),
          ...headers,
        },
        signal: AbortSignal.any([this.signal, AbortSignal.timeout(RESPONSE_TIMEOUT_MS)]),
      });
      const end = (): void => {
        if (!this.signal.aborted) this.tally.count(status, bytes);
        resolve(status);
      };
      sent.on('response', (response) => {
        status = response.statusCode ?? 0;
        response.on('data', (chunk: Buffer) => (bytes += chunk.length));
        response.on('error', () => undefined);
        response.on('close', end);
      });
      sent.on('error', () => status === 0 && end());
      sent.on('socket', (socket) => this.ignoreErrorsOf(socket));
      sent.end(body);
    });
  }

  /** A response may end before its request, whose rest then fails to be written when nobody listens to the socket (Node 20.20). */
  private ignoreErrorsOf(socket: Socket): void {
    if (this.sockets.has(socket)) return;
    this.sockets.add(socket);
    socket.on('error', () => undefined);
  }

  json(method: string, path: string, body: Buffer | string, headers: SendOptions['headers'] = {}) {
    return this.send(method, path, { body, headers: { 'content-type': 'application/json', ...headers } });
  }

  /** The first lines of a request, up to and including the empty one unless `isOpen`. */
  head(method: string, path: string, lines: readonly string[] = [], isOpen = false): string {
    const credentials = Object.entries(this.credentials).map(([name, value]) => `${name}: ${value}`);
    const all = [`${method} ${path} HTTP/1.1`, `Host: ${this.host}`, ...credentials, ...lines];
    return `${all.join('\r\n')}\r\n${isOpen ? '' : '\r\n'}`;
  }

  /**
   * Opens a connection, lets `use` write to it, and waits until The Eye closes it or the attack ends.
   * @param reads whether what The Eye sends is read
   */
  async connection(use: (socket: Socket) => unknown, reads = true): Promise<void> {
    const socket = connect({ host: this.url.hostname, port: Number(this.url.port) });
    let first = '';
    socket.on('error', () => undefined);
    if (reads) socket.on('data', (chunk: Buffer) => (first ||= chunk.toString('latin1', 0, 16)));
    else socket.pause();
    const abort = (): unknown => socket.destroy();
    this.signal.addEventListener('abort', abort);
    try {
      const closed = once(socket, 'close');
      await Promise.race([once(socket, 'connect'), closed]);
      await Promise.race([Promise.resolve(use(socket)).catch(() => undefined), closed]);
      await closed;
    } catch {
      // The connection was refused.
    } finally {
      this.signal.removeEventListener('abort', abort);
      if (!this.signal.aborted || first !== '')
        this.tally.count(Number(/^HTTP\/1\.\d (\d+)/.exec(first)?.[1] ?? 0));
    }
  }

  /** Writes and waits until the socket takes more. */
  async write(socket: Socket, bytes: Buffer | string): Promise<void> {
    if (socket.destroyed) throw new Error('The connection is closed.');
    if (!socket.write(bytes)) await Promise.race([once(socket, 'drain'), once(socket, 'close')]);
  }

  /** Resolves early when the attack ends. */
  async pause(milliseconds: number): Promise<void> {
    await wait(milliseconds, undefined, { signal: this.signal }).catch(() => undefined);
  }

  private get credentials(): Record<string, string> {
    return this.key === undefined ? {} : { authorization: `Bearer ${this.key}` };
  }
}
