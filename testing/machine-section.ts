import type { Machine } from './machine.js';

export function machineSection(machine: Machine): string {
  const { date, commit, cpu, cores, memory, fileSystem, kernel, node, postgres, redis, load } = machine;
  return `Measured on ${date} at commit \`${commit}\`: ${cores} cores of ${cpu}, ${memory} GiB, ${fileSystem}, Linux ${kernel}, Node ${node},
PostgreSQL ${postgres}, Redis ${redis}. Load average before the run: ${load}.`;
}
