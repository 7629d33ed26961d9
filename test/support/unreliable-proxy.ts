import type { IncomingMessage, ServerResponse } from 'node:http';
import { ReverseProxy } from './reverse-proxy.js';

/**
 * An HTTP proxy in front of The Eye that loses responses, or responds 503 itself, as the network and the load balancers between
 * a client and The Eye do.
 */
export class UnreliableProxy extends ReverseProxy {
  /** Requests that were forwarded, as `POST /v1/batch`, in their order. */
  readonly requests: string[] = [];
  private responsesToLose = 0;
  private unavailableUntil = 0;

  static start(target: () => string): Promise<UnreliableProxy> {
    return new UnreliableProxy(target).listen();
  }

  /** Cuts the connections of the next POST requests once The Eye has responded to them. */
  loseResponses(count: number): void {
    this.responsesToLose = count;
  }

  /** Responds 503 to every request for some time. */
  beUnavailable(milliseconds: number): void {
    this.unavailableUntil = Date.now() + milliseconds;
  }

  protected override respond(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const { url = '', method = '' } = incoming;
    if (Date.now() < this.unavailableUntil) {
      incoming.resume();
      return void outgoing.writeHead(503, { 'retry-after': '1', 'access-control-allow-origin': '*' }).end();
    }
    this.requests.push(`${method} ${url}`);
    this.forward(incoming, outgoing, url);
  }

  protected override sendBack(response: IncomingMessage, outgoing: ServerResponse): void {
    if (outgoing.req.method !== 'POST' || this.responsesToLose === 0)
      return super.sendBack(response, outgoing);
    this.responsesToLose--;
    response.resume().on('end', () => outgoing.destroy());
  }
}
