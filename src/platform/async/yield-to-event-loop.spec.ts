import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { yieldToEventLoop } from './yield-to-event-loop.js';

describe('yieldToEventLoop()', () => {
  it('lets pending I/O callbacks run before it resolves', async () => {
    const server = createServer((socket) => socket.end('reply')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    let received = false;
    connect(port, '127.0.0.1').on('data', () => (received = true));
    // A loop that awaits only resolved promises would never let the reply arrive.
    while (!received) await yieldToEventLoop();
    server.close();
    expect(received).toBe(true);
  });
});
