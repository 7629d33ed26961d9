import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import type { EyeEvent } from '../types.js';

interface Reply {
  status: number;
  headers?: Record<string, string>;
  body?: unknown;
}

interface Received {
  at: number;
  headers: IncomingMessage['headers'];
  isZipped: boolean;
  events: EyeEvent[];
}

/** How The Eye responds to an array of events of which it accepts all. */
const accept = (events: EyeEvent[]): Reply => ({
  status: 202,
  body: { accepted: events.length, rejected: [], ids: events.map(() => 'an id') },
});

/** An HTTP server that responds as a spec says, and then as The Eye does. */
export class ScriptedServer {
  readonly requests: Received[] = [];
  readonly accepted: EyeEvent[] = [];
  /** The responses to the next requests; `lost` cuts the connection. */
  readonly script: (Reply | 'lost')[] = [];

  private constructor(private readonly server: Server) {}

  static async start(): Promise<ScriptedServer> {
    const server = createServer();
    const scripted = new ScriptedServer(server);
    server.on('request', (request: IncomingMessage, response) => {
      void scripted.read(request).then((events) => {
        const reply = scripted.script.shift() ?? accept(events);
        if (reply === 'lost') return response.destroy();
        if (reply.status === 202) scripted.accepted.push(...events);
        response.writeHead(reply.status, reply.headers).end(JSON.stringify(reply.body ?? {}));
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return scripted;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  private async read(request: IncomingMessage): Promise<EyeEvent[]> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const isZipped = body[0] === 0x1f && body[1] === 0x8b;
    const events = JSON.parse(String(isZipped ? gunzipSync(body) : body)) as EyeEvent[];
    this.requests.push({ at: performance.now(), headers: request.headers, isZipped, events });
    return events;
  }
}
