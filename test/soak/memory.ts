import { readFile } from 'node:fs/promises';
import { familyOf } from '../../testing/processes.js';

/**
 * Anonymous memory of a process and its children in mebibytes, with shared pages counted once. Excludes PostgreSQL's
 * shared memory and the page cache, which grow with the data up to a limit. Linux only.
 * @see https://man7.org/linux/man-pages/man5/proc_pid_smaps.5.html
 */
export async function privateMemory(pid: number): Promise<number> {
  const shares = (await familyOf(pid)).map(async (member) => {
    // A process that has just exited uses no memory.
    const rollup = await readFile(`/proc/${member}/smaps_rollup`, 'utf8').catch(() => '');
    return Number(/^Pss_Anon:\s+(\d+)/m.exec(rollup)?.[1] ?? 0);
  });
  return (await Promise.all(shares)).reduce((sum, kibibytes) => sum + kibibytes, 0) / 1024;
}
