import { createServer, connect, type NetConnectOpts, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

/**
 * A TCP proxy between The Eye and its Redis or PostgreSQL, with which a test simulates network failures.
 */
export class Link {
  private readonly pairs = new Set<readonly [Socket, Socket]>();
  private readonly listener: Server;
  private down = false;
  private refusal: Buffer | undefined;

  private constructor(private to: NetConnectOpts) {
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

  /** Resets every connection, even in the middle of a transfer. New connections are accepted. */
  cut(): void {
    for (const [near, far] of this.pairs) {
      near.resetAndDestroy();
      far.destroy();
    }
  }

  /** Resets every connection and refuses new ones until `fix()` is called. */
  sever(): void {
    this.down = true;
    this.cut();
  }

  /** Leads new connections to another server. Open ones stay where they are, as behind a proxy that keeps sessions. */
  redirect(to: NetConnectOpts): void {
    this.to = to;
  }

  /** Replies to the first data of each new connection with these bytes and closes it. */
  refuse(refusal: Buffer): void {
    this.refusal = refusal;
  }

  fix(): void {
    this.down = false;
    this.refusal = undefined;
  }

  /**
   * Silently drops all further data on the open connections without closing them, like a firewall that has dropped its
   * connection state. New connections are accepted.
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
    const { refusal } = this;
    if (refusal) {
      near.on('error', () => undefined);
      near.once('data', () => near.end(refusal));
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
