import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** A server that is a limit for The Eye, in a process of its own. */
export class LimitServer {
  private constructor(
    readonly url: string,
    private readonly child: ChildProcess,
  ) {}

  /** @param name of a file beside this one, which prints its address when it listens */
  static async start(name: 'fastify' | 'nest'): Promise<LimitServer> {
    const child = spawn(process.execPath, ['--import', 'tsx', join(import.meta.dirname, `${name}.ts`)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [address] = (await once(child.stdout, 'data')) as [Buffer];
    return new LimitServer(address.toString().trim(), child);
  }

  async close(): Promise<void> {
    const exit = once(this.child, 'exit');
    this.child.kill();
    await exit;
  }
}
