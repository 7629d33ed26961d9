import { readFile, writeFile } from 'node:fs/promises';
import { familyOf, runningServersOf } from '../../testing/processes.js';

/*
 * CPU time and memory of processes, read from /proc. Linux only.
 * See https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
 */

/** USER_HZ, the clock ticks of /proc, which is 100 on every Linux that Node supports. */
const TICKS_PER_SECOND = 100;

/** CPU seconds since each process started. */
export interface Cpu {
  /** The process that is measured, and the supervisor of its servers. */
  node: number;
  redis: number;
  postgres: number;
  clickhouse: number;
  /** This process, the load generator. */
  load: number;
}

/** What is measured; all of it but the load generator. */
export const MEASURED = ['node', 'redis', 'postgres', 'clickhouse'] as const;

/** CPU time used since `before`, divided by `divisor`. */
function cpuPer(before: Cpu, after: Cpu, divisor: number): Cpu {
  const used = (part: keyof Cpu): number => (after[part] - before[part]) / divisor;
  return {
    node: used('node'),
    redis: used('redis'),
    postgres: used('postgres'),
    clickhouse: used('clickhouse'),
    load: used('load'),
  };
}

/** CPU time used since `before`, in microseconds per event. */
export const cpuPerEvent = (before: Cpu, after: Cpu, events: number): Cpu =>
  cpuPer(before, after, events / 1e6);

/** CPU time used since `before`, in thousandths of one core. */
export const cpuShare = (before: Cpu, after: Cpu, seconds: number): Cpu =>
  cpuPer(before, after, seconds / 1e3);

/** A process, and the folder of the embedded servers that it uses. */
export type MeasuredProcess = { readonly pid: number; readonly dataDir: string };

/** CPU time of a process, of its servers and of their supervisor. Servers that it does not have count as zero. */
export async function cpuOf({ pid, dataDir }: MeasuredProcess): Promise<Cpu> {
  const { supervisor, postgres, redis, clickhouse } = await runningServersOf(dataDir);
  const backends = (await familyOf(postgres)).filter((member) => member !== postgres);
  const postgresParts = await Promise.all([
    // The postmaster's child time includes the backends that have exited.
    cpuSeconds(postgres, true),
    ...backends.map((backend) => cpuSeconds(backend)),
  ]);
  return {
    node: (await cpuSeconds(pid)) + (await cpuSeconds(supervisor)),
    redis: await cpuSeconds(redis),
    postgres: sum(postgresParts),
    clickhouse: await cpuSeconds(clickhouse),
    load: ownCpuSeconds(),
  };
}

function ownCpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** CPU seconds of a process since it started. @param withChildren those of its children that have ended, too */
export async function cpuSeconds(pid: number, withChildren = false): Promise<number> {
  const stat = await read(`/proc/${pid}/stat`);
  // The process name, in parentheses, may contain spaces. The state is the first field after it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [user = 0, system = 0, childUser = 0, childSystem = 0] = fields.slice(11, 15).map(Number);
  return (user + system + (withChildren ? childUser + childSystem : 0)) / TICKS_PER_SECOND;
}

/** Resident memory of a process in bytes. */
export async function residentMemoryOf(pid: number): Promise<number> {
  return bytesOf(await read(`/proc/${pid}/status`), 'VmRSS');
}

/** Peak resident memory of a process in bytes. */
export async function peakMemoryOf(pid: number): Promise<number> {
  return bytesOf(await read(`/proc/${pid}/status`), 'VmHWM');
}

/** Resets the peak resident memory of a process to its current value. */
export async function resetPeakMemoryOf(pid: number): Promise<void> {
  await writeFile(`/proc/${pid}/clear_refs`, '5');
}

/** Resident memory of a group of processes in bytes, with shared memory counted once. */
export async function proportionalMemoryOf(pids: number[]): Promise<number> {
  const rollups = await Promise.all(pids.map((pid) => read(`/proc/${pid}/smaps_rollup`)));
  return sum(rollups.map((rollup) => bytesOf(rollup, 'Pss')));
}

/** Returns an empty string for a process that has just exited. */
const read = (file: string): Promise<string> => readFile(file, 'utf8').catch(() => '');

/** Parses a line like `VmRSS:  5120 kB` into bytes. */
const bytesOf = (text: string, name: string): number =>
  Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0) * 1024;

const sum = (numbers: number[]): number => numbers.reduce((total, number) => total + number, 0);
