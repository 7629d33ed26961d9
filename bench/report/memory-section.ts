import type { MemoryResults } from '../memory/memory.js';
import { PHASES, type Sample } from '../memory/memory-sampler.js';
import { spell, table } from './table.js';

const PROCESSES = {
  eye: 'The Eye',
  redis: 'Redis',
  postgres: 'PostgreSQL',
} as const;

type Process = keyof typeof PROCESSES;

const MEBIBYTE = 2 ** 20;

export function memorySection(
  { events, samples, peak, phases, sent, waiting, wal, disk }: MemoryResults,
  plot: (name: string) => string,
): string {
  const size = events.toLocaleString('en');
  const row = (process: Process): string[] => [
    PROCESSES[process],
    ...phases.map(({ from, to }) =>
      highest(
        samples.filter(({ seconds }) => seconds >= from && seconds <= to),
        process,
      ),
    ),
  ];
  const total = disk.reduce((sum, { bytes }) => sum + bytes, 0);
  return `## Memory

The Eye as \`npm start\` runs it, API and worker in one process, takes an NDJSON import of ${size} events; then PostgreSQL is frozen (SIGSTOP)
and as many more come and wait in Redis; then it goes on, and they are stored. Resident memory at most, in MiB; all processes of
PostgreSQL together, what they share counted once. The Eye held ${spell(peak / MEBIBYTE)} MiB at most, at any moment:

${plot('memory')}

${table(
  ['process', ...phases.map(({ name }) => PHASES[name])],
  (Object.keys(PROCESSES) as Process[]).map(row),
)}

## Bytes of an event

It is sent as ${spell(sent)} bytes of JSON, takes ${spell(waiting)} bytes of Redis's memory while it waits, ${spell(wal)} bytes of PostgreSQL's
write-ahead log once, and for good on its disk:

${table(
  ['what', 'bytes an event'],
  [
    ...disk.map(({ name, table, isIndex, bytes }) => [
      isIndex ? `index \`${name}\` of \`${table}\`` : `table \`${name}\``,
      spell(bytes),
    ]),
    ['all', spell(total)],
  ],
)}
`;
}

function highest(samples: Sample[], process: Process): string {
  return spell(Math.max(...samples.map((sample) => sample[process])) / MEBIBYTE);
}
