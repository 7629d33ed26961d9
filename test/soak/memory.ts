import { readFile } from 'node:fs/promises';
import { familyOf } from '../../testing/processes.js';

/**
 * Mebibytes that a process and its children hold for themselves: anonymous memory, pages shared by several counted once
 * among them. Left out is what PostgreSQL's connections share and the kernel's cache of files, which grow with the data
 * up to a limit. Linux only.
 * @see https://man7.org/linux/man-pages/man5/proc_pid_smaps.5.html
 */
export async function privateMemory(pid: number): Promise<number> {
  const shares = (await familyOf(pid)).map(async (member) => {
    // One that has just ended holds nothing.
    const rollup = await readFile(`/proc/${member}/smaps_rollup`, 'utf8').catch(() => '');
    return Number(/^Pss_Anon:\s+(\d+)/m.exec(rollup)?.[1] ?? 0);
  });
  return (await Promise.all(shares)).reduce((sum, kibibytes) => sum + kibibytes, 0) / 1024;
}
