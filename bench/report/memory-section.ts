import type { MemoryResults } from '../memory/memory.js';
import { PHASES, type Sample } from '../memory/memory-sampler.js';
import { formatNumber, table } from '../../testing/table.js';

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

The Eye runs as with \`npm start\`: API and worker in one process. It receives an NDJSON import of ${size} events. Then PostgreSQL is frozen
(SIGSTOP), and as many events arrive and wait in Redis. Then PostgreSQL continues, and they are stored. The table has the peak resident
memory in MiB; that of all processes of PostgreSQL together, with shared memory counted once. The peak of The Eye over the whole run was ${formatNumber(peak / MEBIBYTE)} MiB.

${plot('memory')}

${table(
  ['process', ...phases.map(({ name }) => PHASES[name])],
  (Object.keys(PROCESSES) as Process[]).map(row),
)}

## Bytes of an event

An event is sent as ${formatNumber(sent)} bytes of JSON. It needs ${formatNumber(waiting)} bytes of Redis's memory while it waits, ${formatNumber(wal)} bytes of PostgreSQL's
write-ahead log once, and these bytes on disk:

${table(
  ['relation', 'bytes per event'],
  [
    ...disk.map(({ name, table, isIndex, bytes }) => [
      isIndex ? `index \`${name}\` of \`${table}\`` : `table \`${name}\``,
      formatNumber(bytes),
    ]),
    ['total', formatNumber(total)],
  ],
)}
`;
}

function highest(samples: Sample[], process: Process): string {
  return formatNumber(Math.max(...samples.map((sample) => sample[process])) / MEBIBYTE);
}
