import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { ReverseProxy } from './reverse-proxy.js';

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
export class RecordingProxy extends ReverseProxy {
  readonly exchanges: Exchange[] = [];

  static start(target: () => string): Promise<RecordingProxy> {
    return new RecordingProxy(target).listen();
  }

  /** Sends all requests again, in their order. */
  async repeat(): Promise<Response[]> {
    const responses: Response[] = [];
    for (const exchange of this.exchanges) responses.push(await this.send(exchange));
    return responses;
  }

  protected override respond(incoming: IncomingMessage, outgoing: ServerResponse): void {
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
