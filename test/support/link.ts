import { createServer, connect, type NetConnectOpts, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

/**
 * A TCP port in front of a server: the network between The Eye and its Redis or PostgreSQL, which a test can cut.
 */
export class Link {
  private readonly pairs = new Set<readonly [Socket, Socket]>();
  private readonly listener: Server;
  private down = false;

  private constructor(private readonly to: NetConnectOpts) {
    this.listener = createServer((near) => this.join(near));
  }

  static async open(to: NetConnectOpts): Promise<Link> {
    const link = new Link(to);
    await new Promise<void>((resolve) => link.listener.listen(0, '127.0.0.1', resolve));
    return link;
  }

  get port(): number {
    return (this.listener.address() as AddressInfo).port;
  }

  /** Breaks every connection, in the middle of whatever is on its way; new ones are let through. */
  cut(): void {
    for (const [near, far] of this.pairs) {
      near.resetAndDestroy();
      far.destroy();
    }
  }

  /** Breaks every connection, and refuses new ones until it is mended. */
  sever(): void {
    this.down = true;
    this.cut();
  }

  mend(): void {
    this.down = false;
  }

  /**
   * Whatever goes over the connections of now is lost from here on, and neither side is told, as behind a firewall that
   * has forgotten them. New ones are let through.
   */
  forget(): void {
    for (const [near, far] of this.pairs) {
      near.unpipe(far).resume();
      far.unpipe(near).resume();
    }
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise<void>((resolve) => this.listener.close(() => resolve()));
  }

  private join(near: Socket): void {
    if (this.down) {
      near.resetAndDestroy();
      return;
    }
    const far = connect(this.to);
    const pair = [near, far] as const;
    this.pairs.add(pair);
    near.setNoDelay(true).pipe(far).pipe(near);
    for (const [socket, other] of [pair, [far, near] as const]) {
      socket.on('error', () => undefined);
      socket.once('close', () => {
        this.pairs.delete(pair);
        other.destroy();
      });
    }
  }
}
