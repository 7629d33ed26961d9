import { execFile } from 'node:child_process';
import { availableParallelism, cpus, loadavg, release, tmpdir, totalmem } from 'node:os';
import { promisify } from 'node:util';
import { onTheEye } from './on-the-eye.js';

/** What the figures were measured on, and when. */
export interface Machine {
  date: string;
  commit: string;
  cpu: string;
  cores: number;
  /** GiB. */
  memory: number;
  /** Of the folder that holds the data. */
  fileSystem: string;
  kernel: string;
  node: string;
  postgres: string;
  redis: string;
  /** Load average of the minute before, which others made. */
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

/** Ends in `+` where files differ from it. */
async function commit(): Promise<string> {
  const changes = await outputOf('git', 'status', '--porcelain', '--', 'src', 'package-lock.json');
  return (await outputOf('git', 'rev-parse', '--short', 'HEAD')) + (changes === '' ? '' : '+');
}

/** What a program prints; `unknown` where it is missing or fails. */
async function outputOf(program: string, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(program, args).catch(() => ({ stdout: 'unknown' }));
  return stdout.trim();
}
