import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

/** A server, and a connection to it on which a spec writes what it wants. */
export interface RawConnection {
  readonly server: Server;
  readonly client: Socket;
  close(): void;
}

export async function openRawConnection(serve: RequestListener): Promise<RawConnection> {
  const server = createServer(serve).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  client.on('error', () => undefined);
  return {
    server,
    client,
    close: () => {
      client.destroy();
      server.close();
    },
  };
}
