import { STORING, type StoreResults, type Storing } from '../store/store.js';
import { medianAndSpread, table } from './table.js';

const CPU = ['node', 'redis', 'postgres'] as const;

export function storeSection({ events, rounds }: StoreResults): string {
  const row = (name: Storing): string[] => [
    STORING[name],
    events[name].toLocaleString('en'),
    medianAndSpread(rounds[name].map(({ stored }) => stored)),
    ...CPU.map((part) => medianAndSpread(rounds[name].map(({ cpu }) => cpu[part]))),
  ];
  return `## Storing

The same rows into the same table with the same indexes: by \`COPY\`, which sends them as they are, fails at the first duplicate and
fires no triggers (The Eye's keep counts and sessions), and by a worker that finds the queue full and nobody who sends.

${table(
  ['who', 'events', 'stored, events/s', 'Node, µs an event', 'Redis, µs', 'PostgreSQL, µs'],
  (Object.keys(STORING) as Storing[]).map(row),
)}
`;
}
