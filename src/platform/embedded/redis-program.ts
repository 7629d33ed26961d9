import { execFile, spawnSync } from 'node:child_process';
import { constants } from 'node:fs';
import { access, rm, symlink } from 'node:fs/promises';
import { basename, delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { errorMessage } from './errors.js';

const SERVER = 'redis-server';
/** The same binary as `redis-server`: Redis decides by the name that it is called by. Debian's `redis-tools` has it. */
const SERVER_AS_CHECK = 'redis-check-rdb';
const PROGRAMS = [SERVER, 'valkey-server', SERVER_AS_CHECK];

/** Searched after PATH. */
const PROGRAM_FOLDERS = ['/usr/bin', '/usr/sbin', '/usr/local/bin', '/opt/homebrew/bin'];

/** The first version with streams. */
const MIN_MAJOR_VERSION = 5;

const INSTALL_TIMEOUT_MS = 300_000;

interface Installer {
  readonly command: string;
  /** The command that the error message recommends. */
  readonly advice: string;
  /** The arguments of each call that installs Redis for root. */
  readonly steps?: readonly (readonly string[])[];
}

const INSTALLERS: readonly Installer[] = [
  {
    command: 'apt-get',
    advice: 'sudo apt-get install -y redis-server',
    // Not redis-server: that package also starts and enables a Redis of its own on port 6379.
    steps: [['update'], ['install', '-y', '--no-install-recommends', 'redis-tools']],
  },
  { command: 'apk', advice: 'sudo apk add redis', steps: [['add', 'redis']] },
  { command: 'dnf', advice: 'sudo dnf install -y redis', steps: [['install', '-y', 'redis']] },
  { command: 'brew', advice: 'brew install redis' },
];

/**
 * Finds a Redis or Valkey server. For root, installs Redis if there is none.
 * @param linkFolder for a link to the program, if it has to be called by another name
 * @returns the path of the program
 * @throws Error of one line that says how to install Redis
 */
export async function findOrInstallRedis(linkFolder: string, log: (line: string) => void): Promise<string> {
  let program = (await findProgram(PROGRAMS)) ?? (await installRedis(log));
  if (basename(program) === SERVER_AS_CHECK) {
    const link = join(linkFolder, SERVER);
    await rm(link, { force: true });
    await symlink(program, link);
    program = link;
  }
  const { stdout } = spawnSync(program, ['--version'], { encoding: 'utf8' });
  const major = Number(/v=(\d+)\./.exec(stdout)?.[1] ?? MIN_MAJOR_VERSION);
  if (major < MIN_MAJOR_VERSION) {
    throw new Error(
      `${program} is Redis ${major}; The Eye needs ${MIN_MAJOR_VERSION} or later. Update it, or set REDIS_URL.`,
    );
  }
  return program;
}

/** The path of the first program that can be executed. */
async function findProgram(names: readonly string[]): Promise<string | undefined> {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter).filter(Boolean), ...PROGRAM_FOLDERS];
  for (const file of names.flatMap((name) => folders.map((folder) => join(folder, name)))) {
    const isExecutable = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isExecutable) return file;
  }
  return undefined;
}

async function installRedis(log: (line: string) => void): Promise<string> {
  let reason = 'Redis is missing.';
  for (const { command, advice, steps = [] } of INSTALLERS) {
    const installer = await findProgram([command]);
    if (installer === undefined) continue;
    if (process.getuid?.() === 0 && steps.length > 0) {
      log(`Redis is missing; installing it with ${command}`);
      const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
      for (const step of steps) {
        // A failed step does not end the installation: an outdated package list may still contain Redis.
        await promisify(execFile)(installer, step, { env, timeout: INSTALL_TIMEOUT_MS }).catch(
          (error: unknown) => {
            const lastLine = errorMessage(error).trim().split('\n').at(-1);
            reason = `Redis is missing, and its installation failed (${lastLine}).`;
          },
        );
      }
      const program = await findProgram(PROGRAMS);
      if (program !== undefined) return program;
    }
    throw new Error(`${reason} Set REDIS_URL, or install it:  ${advice}`);
  }
  throw new Error(
    `${reason} Set REDIS_URL, or install redis-server (https://redis.io) or valkey-server (https://valkey.io).`,
  );
}
