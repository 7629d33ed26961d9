import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { errorMessage } from './errors.js';
import { type Launch, SETPRIV } from './processes.js';

/** Who runs PostgreSQL, which refuses to be run by root. */
export interface PostgresAccount {
  /** Set when it is another user than we are; then PostgreSQL's files must be given to it. */
  readonly owner?: { readonly uid: number; readonly gid: number };
  launch(file: string, args: readonly string[]): Launch;
}

const NAME = 'postgres';
const run = promisify(execFile);

/**
 * An ordinary user runs PostgreSQL himself; for root the user `postgres` does, created where there is none.
 * @param paths what it must be able to reach: programs and folders
 */
export async function postgresAccount(
  paths: readonly string[],
  log: (line: string) => void,
): Promise<PostgresAccount> {
  const cwd = '/';
  if (process.getuid?.() !== 0) return { launch: (file, args) => ({ file, args, options: { cwd } }) };

  const owner = await ids().catch(() => createUser(log));
  const reach = spawnSync('sh', ['-c', 'for path; do test -x "$path" || exit 1; done', 'sh', ...paths], {
    cwd,
    ...owner,
  });
  if (reach.status === 0)
    return { owner, launch: (file, args) => ({ file, args, options: { cwd, ...owner } }) };

  if (process.platform !== 'linux') {
    throw new Error(
      `The user ${NAME} cannot enter ${paths.join(' or ')}; do not run The Eye as root, or move it, or set DATABASE_URL.`,
    );
  }
  // Below a closed folder such as /root. The one capability to pass through it is left to PostgreSQL and no other;
  // no_setuid_fixup, because access(2) would otherwise forget that capability for a user who is not root.
  const capabilities = ['inh-caps', 'ambient-caps', 'bounding-set'].map(
    (set) => `--${set}=-all,+dac_override`,
  );
  const privileges = [
    `--reuid=${owner.uid}`,
    `--regid=${owner.gid}`,
    '--clear-groups',
    '--securebits=+no_setuid_fixup',
    ...capabilities,
  ];
  return {
    owner,
    launch: (file, args) => ({ file: SETPRIV, args: [...privileges, file, ...args], options: { cwd } }),
  };
}

async function ids(): Promise<{ uid: number; gid: number }> {
  const [uid, gid] = await Promise.all([run('id', ['-u', NAME]), run('id', ['-g', NAME])]);
  return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
}

async function createUser(log: (line: string) => void): Promise<{ uid: number; gid: number }> {
  log(`PostgreSQL does not run as root; creating the system user ${NAME} for it`);
  try {
    await run('useradd', ['--system', '--user-group', '--home-dir', '/', '--shell', '/bin/false', NAME]);
    return await ids();
  } catch (error) {
    throw new Error(
      `PostgreSQL does not run as root, and the user ${NAME} cannot be created (${errorMessage(error).trim()}). ` +
        'Run The Eye as an ordinary user, or set DATABASE_URL.',
      { cause: error },
    );
  }
}
