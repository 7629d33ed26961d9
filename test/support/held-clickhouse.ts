import { request, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { LocalServer } from './local-server.js';
import type { Copy } from './replication.js';

/** The ClickHouse of an Eye, behind a proxy in which something happens before a statement arrives. */
export class HeldClickHouse extends LocalServer {
  private constructor(
    private readonly copy: Copy,
    private readonly pattern: RegExp,
    private readonly happens: () => Promise<void>,
  ) {
    super();
  }

  /** @param happens once, when the first statement comes that matches the pattern */
  static start(copy: Copy, pattern: RegExp, happens: () => Promise<void>): Promise<HeldClickHouse> {
    let happened: Promise<void> | undefined;
    return new HeldClickHouse(copy, pattern, () => (happened ??= happens())).listen();
  }

  /** For CLICKHOUSE_URL. */
  get clickhouseUrl(): string {
    return `${this.url}/${this.copy.database}`;
  }

  protected respond(incoming: IncomingMessage, outgoing: ServerResponse): void {
    void this.forward(incoming, outgoing).catch(() => outgoing.destroy());
  }

  private async forward(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const { method, headers, url: path } = incoming;
    const statement = await buffer(incoming);
    if (this.pattern.test(statement.toString())) await this.happens();
    request({ socketPath: this.copy.socket, method, headers, path }, (response) => {
      outgoing.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(outgoing);
    })
      .on('error', () => outgoing.destroy())
      .end(statement);
  }
}
