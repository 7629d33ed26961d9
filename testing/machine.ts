import { execFile } from 'node:child_process';
import { availableParallelism, cpus, loadavg, release, tmpdir, totalmem } from 'node:os';
import { promisify } from 'node:util';
import { onTheEye } from './on-the-eye.js';

/** The machine and the date of a measurement. */
export interface Machine {
  date: string;
  commit: string;
  cpu: string;
  cores: number;
  /** GiB. */
  memory: number;
  /** File system of the data folder. */
  fileSystem: string;
  kernel: string;
  node: string;
  postgres: string;
  redis: string;
  /** One-minute load average before the measurement. */
  load: number;
}

export async function describeMachine(): Promise<Machine> {
  const [load = 0] = loadavg();
  const [postgres, redis] = await onTheEye(async (eye) => {
    const [row] = await eye.sql<{ version: string }>(`SELECT current_setting('server_version') AS version`);
    const info = await eye.redis((client) => client.info('server'));
    return [row?.version ?? '', /^(?:valkey|redis)_version:(\S+)/m.exec(info)?.[1] ?? ''] as const;
  });
  return {
    date: new Date().toISOString().slice(0, 10),
    commit: await commit(),
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memory: Math.round(totalmem() / 2 ** 30),
    fileSystem: (await outputOf('df', '--output=fstype', tmpdir())).split('\n').at(-1) ?? '',
    kernel: release(),
    node: process.version.slice(1),
    postgres,
    redis,
    load: Math.round(load * 10) / 10,
  };
}

/** The short commit hash, followed by `+` if files differ from it. */
async function commit(): Promise<string> {
  const changes = await outputOf('git', 'status', '--porcelain', '--', 'src', 'package-lock.json');
  return (await outputOf('git', 'rev-parse', '--short', 'HEAD')) + (changes === '' ? '' : '+');
}

/** Runs a program and returns its trimmed output, or `unknown` if it is missing or fails. */
async function outputOf(program: string, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(program, args).catch(() => ({ stdout: 'unknown' }));
  return stdout.trim();
}
