import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * An HTTP proxy in front of The Eye that loses responses, or responds 503 itself, as the network and the load balancers between
 * a client and The Eye do.
 */
export class UnreliableProxy {
  /** Requests that were forwarded, as `POST /v1/batch`, in their order. */
  readonly requests: string[] = [];
  private responsesToLose = 0;
  private unavailableUntil = 0;

  private constructor(
    private readonly target: () => string,
    private readonly server = createServer((incoming, outgoing) => this.forward(incoming, outgoing)),
  ) {}

  /** @param target the base URL of the server behind it */
  static async start(target: () => string): Promise<UnreliableProxy> {
    const proxy = new UnreliableProxy(target);
    proxy.server.listen(0, '127.0.0.1');
    await once(proxy.server, 'listening');
    return proxy;
  }

  /** Without a slash at the end. */
  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Cuts the connections of the next POST requests once The Eye has responded to them. */
  loseResponses(count: number): void {
    this.responsesToLose = count;
  }

  /** Responds 503 to every request for some time. */
  beUnavailable(milliseconds: number): void {
    this.unavailableUntil = Date.now() + milliseconds;
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  private forward(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const { url = '', method = '', headers } = incoming;
    if (Date.now() < this.unavailableUntil) {
      incoming.resume();
      return void outgoing.writeHead(503, { 'retry-after': '1', 'access-control-allow-origin': '*' }).end();
    }
    this.requests.push(`${method} ${url}`);
    const forwarded = request(`${this.target()}${url}`, { method, headers }, (response) => {
      if (method === 'POST' && this.responsesToLose > 0) {
        this.responsesToLose--;
        return void response.resume().on('end', () => outgoing.destroy());
      }
      outgoing.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(outgoing);
    });
    forwarded.on('error', () => outgoing.destroy());
    outgoing.on('close', () => forwarded.destroy());
    incoming.pipe(forwarded);
  }
}
