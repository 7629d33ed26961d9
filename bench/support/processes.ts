import { readFile, writeFile } from 'node:fs/promises';
import { familyOf, serversOf } from '../../testing/processes.js';
import type { TheEye } from '../../testing/the-eye.js';

/*
 * What processes take, out of /proc, so on Linux only.
 * See https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
 */

/** Ticks of /proc a second: USER_HZ, the same on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** CPU seconds since the start of each; `load` is this process, which sends the requests. */
export interface Cpu {
  node: number;
  redis: number;
  postgres: number;
  load: number;
}

/** What has been used since `before`, in microseconds an event. */
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
    // Backends that have ended count with the postmaster, which has buried them.
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

/** Of a limit, which is one process. */
export async function cpuOfLimit(pid: number): Promise<Cpu> {
  return { node: await cpuSeconds(pid), redis: 0, postgres: 0, load: ownCpuSeconds() };
}

function ownCpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

async function cpuSeconds(pid: number, withChildren = false): Promise<number> {
  const stat = await read(`/proc/${pid}/stat`);
  // The name, in parentheses, may hold blanks; the state is the first field after it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [user = 0, system = 0, childUser = 0, childSystem = 0] = fields.slice(11, 15).map(Number);
  return (user + system + (withChildren ? childUser + childSystem : 0)) / TICKS_PER_SECOND;
}

/** Resident memory of a process in bytes. */
export async function residentMemoryOf(pid: number): Promise<number> {
  return bytesOf(await read(`/proc/${pid}/status`), 'VmRSS');
}

/** The most that it ever was. */
export async function peakMemoryOf(pid: number): Promise<number> {
  return bytesOf(await read(`/proc/${pid}/status`), 'VmHWM');
}

/** From now on, the most is counted anew. */
export async function resetPeakMemoryOf(pid: number): Promise<void> {
  await writeFile(`/proc/${pid}/clear_refs`, '5');
}

/** Resident memory of processes in bytes; what they share counts once. */
export async function proportionalMemoryOf(pids: number[]): Promise<number> {
  const rollups = await Promise.all(pids.map((pid) => read(`/proc/${pid}/smaps_rollup`)));
  return sum(rollups.map((rollup) => bytesOf(rollup, 'Pss')));
}

/** A process that has just ended has none. */
const read = (file: string): Promise<string> => readFile(file, 'utf8').catch(() => '');

/** Bytes of a line like `VmRSS:  5120 kB`. */
const bytesOf = (text: string, name: string): number =>
  Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0) * 1024;

const sum = (numbers: number[]): number => numbers.reduce((total, number) => total + number, 0);
