import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** A request as a client sent it. */
interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: Buffer;
}

/** Headers of one connection. */
const HOP_BY_HOP = new Set(['host', 'connection', 'content-length', 'transfer-encoding', 'keep-alive']);

/** An HTTP proxy in front of The Eye that keeps the requests of a client, to send the same bytes again. */
export class RecordingProxy {
  readonly exchanges: Exchange[] = [];

  private constructor(
    private readonly target: () => string,
    private readonly server = createServer((incoming, outgoing) => {
      const { url: path = '', method = '', headers } = incoming;
      buffer(incoming)
        .then(async (body) => {
          const exchange = { method, path, headers: endToEnd(headers), body };
          this.exchanges.push(exchange);
          const response = await this.send(exchange);
          outgoing.writeHead(response.status, { 'content-type': response.headers.get('content-type') ?? '' });
          outgoing.end(Buffer.from(await response.arrayBuffer()));
        })
        .catch(() => outgoing.destroy());
    }),
  ) {}

  /** @param target the base URL of the server behind it */
  static async start(target: () => string): Promise<RecordingProxy> {
    const proxy = new RecordingProxy(target);
    proxy.server.listen(0, '127.0.0.1');
    await once(proxy.server, 'listening');
    return proxy;
  }

  /** Without a slash at the end. */
  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Sends all requests again, in their order. */
  async repeat(): Promise<Response[]> {
    const responses: Response[] = [];
    for (const exchange of this.exchanges) responses.push(await this.send(exchange));
    return responses;
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  private send({ method, path, headers, body }: Exchange): Promise<Response> {
    return fetch(`${this.target()}${path}`, {
      method,
      headers,
      ...(body.length > 0 && { body: new Uint8Array(body) }),
    });
  }
}

const endToEnd = (headers: IncomingHttpHeaders): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      typeof value === 'string' && !HOP_BY_HOP.has(name) ? [[name, value]] : [],
    ),
  );
