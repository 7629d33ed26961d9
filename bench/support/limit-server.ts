import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { remove } from '../../testing/the-eye.js';

const ROOT = join(import.meta.dirname, '../..');

/** The files in bench/limits that are servers. */
export type LimitName = 'fastify' | 'nest' | 'append' | 'insert';

/** A limit of The Eye, or what it is compared with, as a server in its own process, compiled like The Eye and with the same Node flags. */
export class LimitServer {
  private constructor(
    readonly url: string,
    /** Holds the servers that it has started, if any. */
    readonly dataDir: string,
    private readonly child: ChildProcess,
  ) {}

  /** @param name a file in bench/limits, which prints its URL once it listens */
  static async start(name: LimitName): Promise<LimitServer> {
    const file = join(ROOT, 'dist/bench/bench/limits', `${name}.js`);
    const dataDir = await mkdtemp(join(tmpdir(), 'eye-limit-'));
    const child = spawn(process.execPath, [file], {
      env: { ...process.env, DATA_DIR: dataDir },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [address] = (await once(child.stdout, 'data')) as [Buffer];
    return new LimitServer(address.toString().trim(), dataDir, child);
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** The events that the server has kept; undefined if it keeps none. */
  async count(): Promise<number | undefined> {
    const response = await fetch(`${this.url}/count`);
    const text = await response.text();
    return response.ok ? Number(text) : undefined;
  }

  async close(): Promise<void> {
    const exit = once(this.child, 'exit');
    this.child.kill();
    await exit;
    await remove(this.dataDir);
  }
}
