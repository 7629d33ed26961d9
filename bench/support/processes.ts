import { readFile, writeFile } from 'node:fs/promises';
import { familyOf, serversOf } from '../../testing/processes.js';
import type { TheEye } from '../../testing/the-eye.js';

/*
 * CPU time and memory of processes, read from /proc. Linux only.
 * See https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
 */

/** USER_HZ, the clock ticks of /proc, which is 100 on every Linux that Node supports. */
const TICKS_PER_SECOND = 100;

/** CPU seconds since each process started. `load` is this process, the load generator. */
export interface Cpu {
  node: number;
  redis: number;
  postgres: number;
  load: number;
}

/** CPU time used since `before`, in microseconds per event. */
export function cpuPerEvent(before: Cpu, after: Cpu, events: number): Cpu {
  const used = (part: keyof Cpu): number => ((after[part] - before[part]) / events) * 1e6;
  return { node: used('node'), redis: used('redis'), postgres: used('postgres'), load: used('load') };
}

/** @param eyes processes of The Eye that share one PostgreSQL and one Redis */
export async function cpuOf(...eyes: [TheEye, ...TheEye[]]): Promise<Cpu> {
  const { postgres, redis } = await serversOf(eyes[0].dataDir);
  const node = await Promise.all(eyes.map(({ process: { pid = 0 } }) => cpuSeconds(pid)));
  const backends = (await familyOf(postgres)).filter((pid) => pid !== postgres);
  const postgresParts = await Promise.all([
    // The postmaster's child time includes the backends that have exited.
    cpuSeconds(postgres, true),
    ...backends.map((pid) => cpuSeconds(pid)),
  ]);
  return {
    node: sum(node),
    redis: await cpuSeconds(redis),
    postgres: sum(postgresParts),
    load: ownCpuSeconds(),
  };
}

/** CPU time of a limit, which is a single process. */
export async function cpuOfLimit(pid: number): Promise<Cpu> {
  return { node: await cpuSeconds(pid), redis: 0, postgres: 0, load: ownCpuSeconds() };
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
