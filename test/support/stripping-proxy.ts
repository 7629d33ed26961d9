import type { IncomingMessage, ServerResponse } from 'node:http';
import { ReverseProxy } from './reverse-proxy.js';

/**
 * A reverse proxy that serves its target below `/eye/` and removes that part of each path, as nginx does with
 * `location /eye/ { proxy_pass http://eye/; }`.
 */
export class StrippingProxy extends ReverseProxy {
  static start(target: () => string): Promise<StrippingProxy> {
    return new StrippingProxy(target).listen();
  }

  /** The base URL of the target, e.g. `http://127.0.0.1:40000/eye/`. */
  override get url(): string {
    return `${super.url}/eye/`;
  }

  protected override respond(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const { url = '' } = incoming;
    if (url.startsWith('/eye/')) this.forward(incoming, outgoing, url.slice('/eye'.length));
    else outgoing.writeHead(404).end();
  }
}
