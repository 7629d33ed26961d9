import { STORE_KINDS, type StoreResults, type StoreKind } from '../store/store.js';
import { medianAndSpread, table } from '../../testing/table.js';

const CPU = ['node', 'redis', 'postgres'] as const;

export function storeSection({ events, rounds }: StoreResults): string {
  const row = (name: StoreKind): string[] => [
    STORE_KINDS[name],
    events[name].toLocaleString('en'),
    medianAndSpread(rounds[name].map(({ stored }) => stored)),
    ...CPU.map((part) => medianAndSpread(rounds[name].map(({ cpu }) => cpu[part]))),
  ];
  return `## Storing

The same rows into the same table with the same indexes, by \`COPY\` and by a worker with a full queue while no requests arrive. \`COPY\` sends
the rows as they are, fails at the first duplicate and fires no triggers; the triggers of The Eye maintain counts.

${table(
  ['contender', 'events', 'stored, events/s', 'Node, µs per event', 'Redis, µs', 'PostgreSQL, µs'],
  (Object.keys(STORE_KINDS) as StoreKind[]).map(row),
)}
`;
}
