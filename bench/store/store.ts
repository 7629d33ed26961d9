import type { TheEye } from '../../testing/the-eye.js';
import { drained, folded } from '../support/backlog.js';
import { arrays, type Load, load, singles } from '../support/load.js';
import { beside, onTheEye, stored, storedAtLeast } from '../../testing/on-the-eye.js';
import { anEvent, type Cpu, cpuOf } from '../support/processes.js';
import { progress } from '../support/progress.js';
import { copy, makeRows } from './copy.js';

export const STORING = {
  copy: 'limit: COPY, two connections',
  arrays: 'the worker, events sent as arrays of 500',
  singles: 'the worker, events sent one by one',
} as const;

export type Storing = keyof typeof STORING;

export interface Stored {
  /** Events a second. */
  stored: number;
  /** Microseconds an event; `node` is the worker or, with COPY, nobody. */
  cpu: Cpu;
}

export interface StoreResults {
  /** Events of one measurement. */
  events: Record<Storing, number>;
  rounds: Record<Storing, Stored[]>;
}

/** How fast PostgreSQL is filled, at the most and by a worker that finds a full queue. */
export async function measureStore(quick: boolean): Promise<StoreResults> {
  const rounds = quick ? 1 : 3;
  const many = quick ? 100_000 : 500_000;
  const events = { copy: many, arrays: many, singles: quick ? 20_000 : 200_000 };
  const results: StoreResults = { events, rounds: { copy: [], arrays: [], singles: [] } };
  const measures: [Storing, () => Promise<Stored>][] = [
    ['copy', () => onTheEye((eye) => copied(eye, events.copy), { ROLE: 'api' })],
    ['arrays', () => drainedByWorker(arrays(500), events.arrays)],
    ['singles', () => drainedByWorker(singles(64), events.singles)],
  ];
  for (let round = 1; round <= rounds; round++) {
    for (const [name, measure] of measures) {
      progress(`store, round ${round} of ${rounds}: ${name}`);
      results.rounds[name].push(await measure());
    }
  }
  return results;
}

async function copied(eye: TheEye, events: number): Promise<Stored> {
  const rows = makeRows(events);
  const before = await cpuOf(eye);
  const began = performance.now();
  await copy(eye.databaseUrl, rows);
  const seconds = (performance.now() - began) / 1000;
  const cpu = anEvent(before, await cpuOf(eye), events);
  await storedAtLeast(eye, events);
  return { stored: events / seconds, cpu: { ...cpu, node: 0 } };
}

/** Fills the queue while nobody stores; then a worker comes, and is measured from the moment when it is open. */
function drainedByWorker(what: Load, events: number): Promise<Stored> {
  return onTheEye(
    async (api) => {
      const sent = await load(api.url, what, { amount: events / what.events });
      return beside(api, { ROLE: 'worker' }, async (worker) => {
        const early = await stored(api);
        const before = await cpuOf(worker);
        const began = performance.now();
        await drained(api);
        const seconds = (performance.now() - began) / 1000;
        await folded(api);
        const after = await cpuOf(worker);
        const more = (await storedAtLeast(api, sent.events)) - early;
        return { stored: more / seconds, cpu: anEvent(before, after, more) };
      });
    },
    { ROLE: 'api' },
  );
}
