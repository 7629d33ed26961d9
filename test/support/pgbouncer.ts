import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdtemp, stat, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { eventually, remove } from '../../testing/the-eye.js';
import type { OwnPostgres } from './servers.js';

/** PgBouncer in transaction mode before a PostgreSQL of a test. */
export class PgBouncer {
  private constructor(
    readonly address: { readonly host: string; readonly port: number },
    private readonly process: ChildProcess,
    private readonly folder: string,
  ) {}

  get url(): string {
    return `postgresql://the_eye@${this.address.host}:${this.address.port}/the_eye`;
  }

  /** Why it cannot run on this machine, or undefined if it can. */
  static unavailable(): string | undefined {
    const { error } = spawnSync('pgbouncer', ['--version']);
    return error && 'pgbouncer is not installed (apt-get install pgbouncer)';
  }

  /** @param poolSize connections to PostgreSQL, which all clients share */
  static async start(postgres: OwnPostgres, poolSize = 4): Promise<PgBouncer> {
    const folder = await mkdtemp(join(tmpdir(), 'eye-pgbouncer-'));
    const port = await freePort();
    const sockets = dirname(postgres.socket);
    // It refuses to run as root, and must reach the socket of PostgreSQL.
    const { uid, gid } = await stat(sockets);
    await chown(folder, uid, gid);
    const config = join(folder, 'pgbouncer.ini');
    await writeFile(
      config,
      `[databases]
       the_eye = host=${sockets} port=5432 dbname=the_eye user=the_eye
       [pgbouncer]
       listen_addr = 127.0.0.1
       listen_port = ${port}
       unix_socket_dir =
       auth_type = any
       pool_mode = transaction
       default_pool_size = ${poolSize}
       max_client_conn = 200`.replace(/^\s+/gm, ''),
    );
    const bouncer = new PgBouncer(
      { host: '127.0.0.1', port },
      spawn('pgbouncer', [config], { uid, gid, cwd: '/', stdio: 'ignore' }),
      folder,
    );
    await eventually(() => bouncer.ping());
    return bouncer;
  }

  async close(): Promise<void> {
    const exit = once(this.process, 'exit');
    this.process.kill('SIGKILL');
    await exit;
    await remove(this.folder);
  }

  private async ping(): Promise<void> {
    const client = new pg.Client({ connectionString: this.url });
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.query('SELECT 1');
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
