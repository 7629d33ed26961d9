import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { eventually } from './the-eye.js';

interface Row {
  pid: number;
  parent: number;
  isZombie: boolean;
}

async function list(): Promise<Row[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid=,stat=']);
  return stdout
    .trim()
    .split('\n')
    .map((line) => {
      const [pid, parent, state] = line.trim().split(/\s+/);
      return { pid: Number(pid), parent: Number(parent), isZombie: state?.startsWith('Z') ?? false };
    });
}

/** The process and all its descendants, parents first. */
export async function familyOf(pid: number): Promise<number[]> {
  const rows = await list();
  const family = [pid];
  for (const member of family) {
    family.push(...rows.filter(({ parent }) => parent === member).map((row) => row.pid));
  }
  return family;
}

/** The processes that are alive. A zombie is not. */
export async function living(pids: number[]): Promise<number[]> {
  return (await list()).filter(({ pid, isZombie }) => pids.includes(pid) && !isZombie).map(({ pid }) => pid);
}

/** Resolves once none of the processes is alive. */
export async function gone(pids: number[]): Promise<void> {
  await eventually(async () => {
    const left = await living(pids);
    if (left.length > 0) throw new Error(`Still alive: ${left.join(', ')}.`);
  }, 60_000);
}

/** Sends a signal to all processes, and ignores those that have ended. */
export function signalAll(pids: number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

/** Process ids of the supervisor and the servers of a data folder. */
export interface ServerPids {
  supervisor: number;
  postgres: number;
  redis: number;
  clickhouse: number;
}

/** As far as they run; those of the others are NaN. */
export async function runningServersOf(dataDir: string): Promise<ServerPids> {
  const read = (path: string): Promise<string> => readFile(join(dataDir, path), 'utf8').catch(() => '');
  const [log, postgres, redis, clickhouse] = await Promise.all([
    read('supervisor.log'),
    read('postgres/postmaster.pid'),
    read('redis/redis.pid'),
    read('clickhouse/clickhouse.pid'),
  ]);
  const started = [...log.matchAll(/started \(pid (\d+)\)/g)].at(-1)?.[1];
  return {
    supervisor: Number(started),
    postgres: Number.parseInt(postgres),
    redis: Number.parseInt(redis),
    clickhouse: Number.parseInt(clickhouse),
  };
}

/**
 * That of ClickHouse, which starts last, is NaN until then.
 * @throws Error if PostgreSQL or Redis does not run
 */
export async function serversOf(dataDir: string): Promise<ServerPids> {
  const servers = await runningServersOf(dataDir);
  for (const name of ['postgres', 'redis'] as const)
    if (Number.isNaN(servers[name])) throw new Error(`${name} does not run in ${dataDir}.`);
  return servers;
}
