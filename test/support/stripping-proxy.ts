import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface StrippingProxy {
  /** The base URL of the target, e.g. `http://127.0.0.1:40000/eye/`. */
  url: string;
  close(): void;
}

/**
 * A reverse proxy that serves its target below `/eye/` and removes that part of each path, as nginx does with
 * `location /eye/ { proxy_pass http://eye/; }`.
 * @param target address of the server behind it
 */
export async function startStrippingProxy(target: () => string): Promise<StrippingProxy> {
  const server = createServer((incoming, outgoing) => {
    const { url = '', method, headers } = incoming;
    if (!url.startsWith('/eye/')) return outgoing.writeHead(404).end();
    const forwarded = request(`${target()}${url.slice('/eye'.length)}`, { method, headers }, (response) => {
      outgoing.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(outgoing);
    });
    forwarded.on('error', () => outgoing.destroy());
    outgoing.on('close', () => forwarded.destroy());
    incoming.pipe(forwarded);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/eye/`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
