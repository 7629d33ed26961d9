import { STORE_KINDS, type StoreKind, type StoreResult, type StoreResults } from '../store/store.js';
import { formatNumber, medianAndSpread, table } from '../../testing/table.js';

const CPU = ['node', 'redis', 'postgres'] as const;

export function storeSection({ events, rounds, variants }: StoreResults): string {
  const row = (name: StoreKind, measured: StoreResult[]): string[] => [
    STORE_KINDS[name],
    events[name].toLocaleString('en'),
    medianAndSpread(measured.map(({ stored }) => stored)),
    medianAndSpread(measured.map(({ bytes }) => bytes)),
    ...CPU.map((part) => medianAndSpread(measured.map(({ cpu }) => cpu[part]))),
  ];
  return `## Storing

The same rows into the same table with the same indexes, by \`COPY\` and by a worker with a full queue while no requests arrive. \`COPY\` sends
the rows as they are, fails at the first duplicate and fires no triggers. The second limit leaves out what is stored already, as The Eye
does, and nothing else. The triggers of The Eye note what is to be copied
to ClickHouse, and the worker copies it meanwhile. _Bytes_ are those of the table and its indexes in PostgreSQL (aim: 450). To compare
two revisions, run this part on both, one after the other.

${table(
  [
    'contender',
    'events',
    'stored, events/s',
    'bytes an event',
    'Node, µs per event',
    'Redis, µs',
    'PostgreSQL, µs',
  ],
  (Object.keys(STORE_KINDS) as StoreKind[]).flatMap((name) =>
    rounds[name] ? [row(name, rounds[name])] : [],
  ),
)}

### Other forms of the table

The same events in tables of other forms, as bytes an event, filled in the order in which the events were stored. An index for a list
needs \`id\`, because a page of events of the same timestamp would have to sort all of them. Without an index on a category or an
application, lists of these would not work while ClickHouse is away. With numbers in the place of texts, each statement that stores, reads or
copies events joins the table of these texts, and SQL on PostgreSQL has to do so too. \`id\` follows from the other fields, but only
Node can compute it. The last row shows the size that remains if all of this is given up.

${table(
  ['form', 'table', 'unique index', 'other indexes', 'in all'],
  variants.map(({ name, table: own, unique, others }) => [
    name,
    ...[own, unique, others, own + unique + others].map(formatNumber),
  ]),
)}
`;
}
