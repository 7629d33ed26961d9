import { type IncomingMessage, request, type ServerResponse } from 'node:http';
import { LocalServer } from './local-server.js';

/** An HTTP proxy in front of The Eye. */
export abstract class ReverseProxy extends LocalServer {
  /** @param target the base URL of the server behind it, which may change */
  protected constructor(protected readonly target: () => string) {
    super();
  }

  /** @param path of the request to the target */
  protected forward(incoming: IncomingMessage, outgoing: ServerResponse, path: string): void {
    const { method, headers } = incoming;
    const forwarded = request(`${this.target()}${path}`, { method, headers }, (response) =>
      this.sendBack(response, outgoing),
    );
    forwarded.on('error', () => outgoing.destroy());
    outgoing.on('close', () => forwarded.destroy());
    incoming.pipe(forwarded);
  }

  protected sendBack(response: IncomingMessage, outgoing: ServerResponse): void {
    outgoing.writeHead(response.statusCode ?? 502, response.headers);
    response.pipe(outgoing);
  }
}
