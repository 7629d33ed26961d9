import { execFile, spawnSync } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { errorMessage } from './errors.js';

export interface RedisProgram {
  readonly file: string;
  /** The name to call it by, since Redis acts by it. */
  readonly name: string;
}

/** Called `redis-server`, `redis-check-rdb` is the server: both are one program, and Debian's redis-tools has it. */
const PROGRAMS = [
  { file: 'redis-server', name: 'redis-server' },
  { file: 'valkey-server', name: 'valkey-server' },
  { file: 'redis-check-rdb', name: 'redis-server' },
];
const MORE_FOLDERS = ['/usr/bin', '/usr/sbin', '/usr/local/bin', '/opt/homebrew/bin'];

/** Bull needs 2.8.18; the append-only file with a snapshot as preamble that is used here came with 4. */
const OLDEST_MAJOR = 5;

/** Milliseconds. */
const INSTALL_LIMIT = 300_000;

interface Installer {
  readonly command: string;
  /** What a person types. */
  readonly advice: string;
  /** What root gets unasked. */
  readonly steps?: readonly (readonly string[])[];
}

const INSTALLERS: readonly Installer[] = [
  {
    command: 'apt-get',
    advice: 'sudo apt-get install -y redis-server',
    // Not redis-server, which would start a second Redis on port 6379 and enable it for good.
    steps: [['update'], ['install', '-y', '--no-install-recommends', 'redis-tools']],
  },
  { command: 'apk', advice: 'sudo apk add redis', steps: [['add', 'redis']] },
  { command: 'dnf', advice: 'sudo dnf install -y redis', steps: [['install', '-y', 'redis']] },
  { command: 'brew', advice: 'brew install redis' },
];

/**
 * Finds a Redis or Valkey server; as root it installs one where there is none.
 * @throws Error of one line that tells how to get one
 */
export async function findOrInstallRedis(log: (line: string) => void): Promise<RedisProgram> {
  const program = (await findRedis()) ?? (await installRedis(log));
  const { stdout } = spawnSync(program.file, ['--version'], { argv0: program.name, encoding: 'utf8' });
  const major = Number(/v=(\d+)\./.exec(stdout)?.[1] ?? OLDEST_MAJOR);
  if (major < OLDEST_MAJOR) {
    throw new Error(
      `${program.file} is Redis ${major}; The Eye needs ${OLDEST_MAJOR} or later. Update it, or set REDIS_URL.`,
    );
  }
  return program;
}

async function findRedis(): Promise<RedisProgram | undefined> {
  for (const program of PROGRAMS) {
    const file = await findProgram(program.file);
    if (file !== undefined) return { file, name: program.name };
  }
  return undefined;
}

async function findProgram(name: string): Promise<string | undefined> {
  for (const folder of [...(process.env['PATH'] ?? '').split(delimiter).filter(Boolean), ...MORE_FOLDERS]) {
    const file = join(folder, name);
    const found = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return file;
  }
  return undefined;
}

async function installRedis(log: (line: string) => void): Promise<RedisProgram> {
  let reason = 'Redis is missing.';
  let advice = 'redis-server or valkey-server, from https://redis.io or https://valkey.io';
  for (const installer of INSTALLERS) {
    const file = await findProgram(installer.command);
    if (file === undefined) continue;
    advice = installer.advice;
    if (process.getuid?.() !== 0 || !installer.steps) break;
    log(`Redis is missing; installing it with ${installer.command}`);
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    for (const step of installer.steps) {
      // A package list that cannot be refreshed does no harm as long as the package is found.
      await promisify(execFile)(file, step, { env, timeout: INSTALL_LIMIT }).catch((error: unknown) => {
        reason = `Redis is missing, and installing it failed (${errorMessage(error).trim().split('\n').at(-1)}).`;
      });
    }
    const program = await findRedis();
    if (program) return program;
    break;
  }
  throw new Error(`${reason} Set REDIS_URL, or install it:  ${advice}`);
}
