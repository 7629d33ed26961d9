import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');

/** A limit of The Eye as a server in its own process, compiled like The Eye and with the same Node flags. */
export class LimitServer {
  private constructor(
    readonly url: string,
    private readonly child: ChildProcess,
  ) {}

  /** @param name a file in bench/limits, which prints its URL once it listens */
  static async start(name: 'fastify' | 'nest'): Promise<LimitServer> {
    const file = join(ROOT, 'dist/bench/bench/limits', `${name}.js`);
    const child = spawn(process.execPath, [file], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [address] = (await once(child.stdout, 'data')) as [Buffer];
    return new LimitServer(address.toString().trim(), child);
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  async close(): Promise<void> {
    const exit = once(this.child, 'exit');
    this.child.kill();
    await exit;
  }
}
