import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { errorMessage } from './errors.js';
import { type ProgramCommand, SETPRIV } from './processes.js';

/** The user that runs PostgreSQL, which refuses to run as root. */
export interface PostgresAccount {
  /** Set if it is another user than this process has. PostgreSQL's files must then belong to it. */
  readonly owner?: { readonly uid: number; readonly gid: number };
  /** The command that runs a program as this user. */
  command(file: string, args: readonly string[]): ProgramCommand;
}

const NAME = 'postgres';
const run = promisify(execFile);

/**
 * An ordinary user runs PostgreSQL itself. For root, the user `postgres` runs it, and is created if it is missing.
 * @param paths programs and folders that the user must be able to reach
 */
export async function postgresAccount(
  paths: readonly string[],
  log: (line: string) => void,
): Promise<PostgresAccount> {
  const cwd = '/';
  if (process.getuid?.() !== 0) return { command: (file, args) => ({ file, args, options: { cwd } }) };

  const owner = await readIds().catch(() => createUser(log));
  const reach = spawnSync('sh', ['-c', 'for path; do test -x "$path" || exit 1; done', 'sh', ...paths], {
    cwd,
    ...owner,
  });
  if (reach.status === 0) {
    return { owner, command: (file, args) => ({ file, args, options: { cwd, ...owner } }) };
  }
  if (process.platform !== 'linux') {
    throw new Error(
      `The user ${NAME} cannot enter ${paths.join(' or ')}; do not run The Eye as root, or move it, or set DATABASE_URL.`,
    );
  }
  // A path is below a closed folder such as /root. PostgreSQL keeps the one capability that lets it pass, and no other.
  // Without no_setuid_fixup, access(2) would ignore that capability for a user other than root.
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
    command: (file, args) => ({ file: SETPRIV, args: [...privileges, file, ...args], options: { cwd } }),
  };
}

async function readIds(): Promise<{ uid: number; gid: number }> {
  const [uid, gid] = await Promise.all([run('id', ['-u', NAME]), run('id', ['-g', NAME])]);
  return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
}

async function createUser(log: (line: string) => void): Promise<{ uid: number; gid: number }> {
  log(`PostgreSQL does not run as root; creating the system user ${NAME} for it`);
  try {
    await run('useradd', ['--system', '--user-group', '--home-dir', '/', '--shell', '/bin/false', NAME]);
    return await readIds();
  } catch (error) {
    throw new Error(
      `PostgreSQL does not run as root, and the user ${NAME} cannot be created (${errorMessage(error).trim()}). ` +
        'Run The Eye as an ordinary user, or set DATABASE_URL.',
      { cause: error },
    );
  }
}
