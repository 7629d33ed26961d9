import { createHash } from 'node:crypto';
import { constants, existsSync } from 'node:fs';
import { access, chmod, lstat, mkdir, realpath, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { errorCode } from './errors.js';

/** The paths that belong to one data folder. */
export interface Folders {
  /** Durable: `postgres/`, `redis/`, `clickhouse/`, `supervisor.log` and the lock. */
  readonly data: string;
  /** Holds only sockets. Its path is short, because the path of a Unix socket is limited to 104 bytes on macOS. */
  readonly run: string;
  readonly postgresSockets: string;
  readonly redisSocket: string;
  readonly clickhouseSocket: string;
  readonly supervisorSocket: string;
  readonly supervisorLog: string;
  readonly lock: string;
}

/** Leaves room for the run folder's own name and `/postgres/.s.PGSQL.5432.lock`. */
const MAX_TMPDIR_LENGTH = 50;

/** Whether a data folder holds a database, which the first start creates. */
export function holdsDatabase(dataDir: string): boolean {
  return existsSync(join(dataDir, 'postgres', 'PG_VERSION'));
}

/**
 * Creates the data folder if it is missing.
 * @throws Error that names the folder and the fix, when the folder cannot be written or belongs to another user
 */
export async function prepareFolders(dataDir: string): Promise<Folders> {
  const data = await mkdir(dataDir, { recursive: true }).then(
    () => realpath(dataDir),
    (error: Error) => {
      throw new Error(`The data folder cannot be created (${error.message}); set DATA_DIR to another one.`);
    },
  );
  const base = tmpdir().length <= MAX_TMPDIR_LENGTH ? tmpdir() : '/tmp';
  const run = join(base, `the-eye-${createHash('sha256').update(data).digest('hex').slice(0, 12)}`);
  const folders = {
    data,
    run,
    postgresSockets: join(run, 'postgres'),
    redisSocket: join(run, 'redis.sock'),
    clickhouseSocket: join(run, 'clickhouse.sock'),
    supervisorSocket: join(run, 'supervisor.sock'),
    supervisorLog: join(data, 'supervisor.log'),
    // The name must not change: a version of The Eye that still runs on this folder may hold a lock of this name, and
    // two supervisors on one folder would destroy its data.
    lock: join(data, 'keeper.lock'),
  };
  await requireAccess(folders);
  return folders;
}

async function requireAccess({ data, supervisorLog }: Folders): Promise<void> {
  const uid = process.getuid?.() ?? 0;
  for (const path of [
    data,
    join(data, 'postgres'),
    join(data, 'redis'),
    join(data, 'clickhouse'),
    supervisorLog,
  ]) {
    const found = await stat(path).catch(() => undefined);
    if (!found) continue;
    const refused = await access(path, constants.R_OK | constants.W_OK).then(
      () => undefined,
      (error: Error) => error,
    );
    // The servers write only files that their user owns. Root can change the owner; other users cannot.
    const foreign = uid !== 0 && found.uid !== uid && path !== data;
    if (refused && errorCode(refused) === 'EROFS') {
      throw new Error(`The data folder ${data} is on a read-only file system; set DATA_DIR to another one.`);
    }
    if (refused || foreign) {
      throw new Error(
        `The data folder ${data} cannot be used by this user (uid ${uid}): ` +
          `${path} belongs to uid ${found.uid}, mode ${(found.mode & 0o777).toString(8)}. ` +
          'Run The Eye as that user, set DATA_DIR to another folder, or change the owner of this one:  ' +
          `sudo chown -R ${uid} ${data} && chmod -R u+rwX ${data}`,
      );
    }
  }
}

/**
 * Creates the run folder with access for this user only, because whoever can open the sockets can be any role of
 * PostgreSQL without a password, and reads and writes Redis and ClickHouse.
 * @throws Error when the folder belongs to another user
 */
export async function createRunFolder({ run }: Folders): Promise<void> {
  const isRoot = process.getuid?.() === 0;
  await mkdir(run, { mode: 0o700 }).catch((error: unknown) => {
    if (errorCode(error) !== 'EEXIST') throw error;
  });
  const found = await lstat(run);
  if (!found.isDirectory() || found.uid !== (process.getuid?.() ?? 0)) {
    throw new Error(`${run} belongs to another user (uid ${found.uid}); remove it:  sudo rm -r ${run}`);
  }
  // For root, PostgreSQL runs as another user, which has to pass through this folder to reach its own.
  await chmod(run, isRoot ? 0o711 : 0o700);
}
