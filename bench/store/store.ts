import { superuserUrl, type TheEye } from '../../testing/the-eye.js';
import { waitForCopy, waitForDrain } from '../support/backlog.js';
import { arrays, type Workload, load, singles } from '../support/load.js';
import { withPeer, onTheEye, stored, storedAtLeast } from '../../testing/on-the-eye.js';
import { cpuPerEvent, type Cpu, cpuOf } from '../support/processes.js';
import { logProgress } from '../support/progress.js';
import { copy, copyOnce, makeRows } from './copy.js';
import { measureVariants, type VariantSize } from './variants.js';

export const STORE_KINDS = {
  copy: 'limit: COPY, two connections',
  once: 'limit: COPY into a temporary table, `INSERT … ON CONFLICT`',
  arrays: 'the worker, events sent as arrays of 500',
  singles: 'the worker, events sent one by one',
} as const;

export type StoreKind = keyof typeof STORE_KINDS;

export interface StoreResult {
  /** Events per second. */
  stored: number;
  /** Bytes an event in PostgreSQL: the table and its indexes. */
  bytes: number;
  /** Microseconds per event. `node` is the worker, or 0 for a limit. */
  cpu: Cpu;
}

export interface StoreResults {
  /** Events per measurement. */
  events: Record<StoreKind, number>;
  rounds: Record<'copy' | 'arrays' | 'singles', StoreResult[]> & {
    /** Undefined in results from before it was measured. */
    once?: StoreResult[];
  };
  /** The table of events in other forms. */
  variants: VariantSize[];
}

/** Measures how fast events are stored, by COPY, by COPY without what is stored already, and by a worker with a full queue. */
export async function measureStore(quick: boolean): Promise<StoreResults> {
  const rounds = quick ? 1 : 3;
  const eventCount = quick ? 100_000 : 500_000;
  const events = {
    copy: eventCount,
    once: eventCount,
    arrays: eventCount,
    singles: quick ? 20_000 : 200_000,
  };
  const results: Record<StoreKind, StoreResult[]> = { copy: [], once: [], arrays: [], singles: [] };
  const measures: [StoreKind, () => Promise<StoreResult>][] = [
    ['copy', () => onTheEye((eye) => measureLimit(eye, copy, events.copy), { ROLE: 'api' })],
    ['once', () => onTheEye((eye) => measureLimit(eye, copyOnce, events.once), { ROLE: 'api' })],
    ['arrays', () => measureWorker(arrays(500), events.arrays)],
    ['singles', () => measureWorker(singles(64), events.singles)],
  ];
  for (let round = 1; round <= rounds; round++) {
    for (const [name, measure] of measures) {
      logProgress(`store, round ${round} of ${rounds}: ${name}`);
      results[name].push(await measure());
    }
  }
  const variants = await onTheEye(
    async (eye) => {
      await copy(superuserUrl(eye.databaseUrl), makeRows(events.copy));
      return measureVariants(eye);
    },
    { ROLE: 'api' },
  );
  return { events, rounds: results, variants };
}

/** Bytes an event of the table of events and its indexes. */
async function bytesOf(eye: TheEye): Promise<number> {
  const [row] = await eye.sql<{ bytes: number }>(
    `SELECT pg_total_relation_size('events') / count(*)::float8 AS bytes FROM events`,
  );
  return row?.bytes ?? NaN;
}

async function measureLimit(eye: TheEye, store: typeof copy, events: number): Promise<StoreResult> {
  const rows = makeRows(events);
  const before = await cpuOf(eye);
  const startedAt = performance.now();
  await store(superuserUrl(eye.databaseUrl), rows);
  const seconds = (performance.now() - startedAt) / 1000;
  const cpu = cpuPerEvent(before, await cpuOf(eye), events);
  await storedAtLeast(eye, events);
  return { stored: events / seconds, bytes: await bytesOf(eye), cpu: { ...cpu, node: 0 } };
}

/** Fills the queue without a worker, then starts one and measures it from the moment it is ready. */
function measureWorker(workload: Workload, events: number): Promise<StoreResult> {
  return onTheEye(
    async (api) => {
      const sent = await load(api.url, workload, { amount: events / workload.events });
      return withPeer(api, { ROLE: 'worker' }, async (worker) => {
        const storedBefore = await stored(api);
        const before = await cpuOf(worker);
        const startedAt = performance.now();
        await waitForDrain(api);
        const seconds = (performance.now() - startedAt) / 1000;
        await waitForCopy(api);
        const after = await cpuOf(worker);
        const storedEvents = (await storedAtLeast(api, sent.events)) - storedBefore;
        return {
          stored: storedEvents / seconds,
          bytes: await bytesOf(api),
          cpu: cpuPerEvent(before, after, storedEvents),
        };
      });
    },
    { ROLE: 'api' },
  );
}
