import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { access, chmod, lstat, mkdir, realpath, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { errorCode } from './errors.js';

/** Where everything of one data folder stands. */
export interface Folders {
  /** What must survive: `postgres/`, `redis/` and `keeper.log`. */
  readonly data: string;
  /** Sockets only; short, since a Unix socket's path holds 104 bytes at the most. */
  readonly run: string;
  readonly postgresSockets: string;
  readonly redisSocket: string;
  readonly keeperSocket: string;
  readonly keeperLog: string;
}

/** Left for `/postgres/.s.PGSQL.5432.lock` and the name of the folder itself. */
const LONGEST_TMPDIR = 50;

/**
 * Creates the data folder where it is missing.
 * @throws Error that names the folder and the cure, when it cannot be written or is another user's
 */
export async function prepareFolders(dataDir: string): Promise<Folders> {
  const data = await mkdir(dataDir, { recursive: true }).then(
    () => realpath(dataDir),
    (error: Error) => {
      throw new Error(`The data folder cannot be created (${error.message}); set DATA_DIR to another one.`);
    },
  );
  const base = tmpdir().length <= LONGEST_TMPDIR ? tmpdir() : '/tmp';
  const run = join(base, `the-eye-${createHash('sha256').update(data).digest('hex').slice(0, 12)}`);
  const folders = {
    data,
    run,
    postgresSockets: join(run, 'postgres'),
    redisSocket: join(run, 'redis.sock'),
    keeperSocket: join(run, 'keeper.sock'),
    keeperLog: join(data, 'keeper.log'),
  };
  await requireAccess(folders);
  return folders;
}

async function requireAccess({ data, keeperLog }: Folders): Promise<void> {
  const uid = process.getuid?.() ?? 0;
  for (const path of [data, join(data, 'postgres'), join(data, 'redis'), keeperLog]) {
    const found = await stat(path).catch(() => undefined);
    if (!found) continue;
    const refused = await access(path, constants.R_OK | constants.W_OK).then(
      () => undefined,
      (error: Error) => error,
    );
    // PostgreSQL and Redis write only what is their own; root may take a folder over, others may not.
    const foreign = uid !== 0 && found.uid !== uid && path !== data;
    if (refused && errorCode(refused) === 'EROFS') {
      throw new Error(`The data folder ${data} is on a read-only file system; set DATA_DIR to another one.`);
    }
    if (refused || foreign) {
      throw new Error(
        `The data folder ${data} cannot be used by this user (uid ${uid}): ` +
          `${path} belongs to uid ${found.uid}, mode ${(found.mode & 0o777).toString(8)}. Run The Eye as that user, set DATA_DIR to another folder, or take this one over:  ` +
          `sudo chown -R ${uid} ${data} && chmod -R u+rwX ${data}`,
      );
    }
  }
}

/**
 * Creates the run folder, for us alone: whoever may open the sockets is a superuser of the database, without a password.
 * @throws Error when it is another user's
 */
export async function claimRunFolder({ run }: Folders): Promise<void> {
  const root = process.getuid?.() === 0;
  await mkdir(run, { mode: 0o700 }).catch((error: unknown) => {
    if (errorCode(error) !== 'EEXIST') throw error;
  });
  const found = await lstat(run);
  if (!found.isDirectory() || found.uid !== (process.getuid?.() ?? 0)) {
    throw new Error(`${run} belongs to another user (uid ${found.uid}); remove it:  sudo rm -r ${run}`);
  }
  // Started by root, PostgreSQL runs as another user, who must get through to its own folder in there.
  await chmod(run, root ? 0o711 : 0o700);
}
