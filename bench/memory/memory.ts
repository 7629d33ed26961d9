import type { TheEye } from '../../test/support/the-eye.js';
import { drained } from '../support/backlog.js';
import { load, ndjson } from '../support/load.js';
import { beside, expectRows, onTheEye } from '../support/on-the-eye.js';
import { progress } from '../support/progress.js';
import { bytesOnDisk, type OnDisk, relations, type Relation, walPosition } from './disk.js';
import { MemorySampler, type Sample } from './memory-sampler.js';

export const PHASES = {
  import: 'import',
  hold: 'import, no worker',
  drain: 'a worker drains',
} as const;

export interface Phase {
  name: keyof typeof PHASES;
  /** Seconds since the first sample. */
  from: number;
  to: number;
}

export interface MemoryResults {
  /** Events of each of the two imports. */
  events: number;
  samples: Sample[];
  phases: Phase[];
  /** Bytes an event: as it was sent, of Redis's memory while it waits, of the write-ahead log. */
  sent: number;
  waiting: number;
  wal: number;
  /** Tables and indexes that grew. */
  disk: OnDisk[];
}

/** What processes hold while events come and wait, and what events take where they lie. */
export function measureMemory(quick: boolean): Promise<MemoryResults> {
  const events = quick ? 100_000 : 1_000_000;
  return onTheEye(
    async (api) => {
      const sampler = await MemorySampler.start(api);
      const phases: Phase[] = [];
      const phase = async (name: Phase['name'], work: () => Promise<unknown>): Promise<void> => {
        progress(`memory: ${PHASES[name]}`);
        const from = sampler.seconds;
        await work();
        phases.push({ name, from, to: sampler.seconds });
      };
      try {
        const empty = await onDisk(api);
        await beside(api, { ROLE: 'worker' }, async (worker) => {
          sampler.worker = worker.process.pid;
          await phase('import', () => importAndStore(api, events));
        });
        sampler.worker = undefined;
        const full = await onDisk(api);
        const before = await usedMemory(api);
        await phase('hold', () => importEvents(api, events));
        const waiting = ((await usedMemory(api)) - before) / events;
        await phase('drain', () =>
          beside(api, { ROLE: 'worker' }, async (worker) => {
            sampler.worker = worker.process.pid;
            await drained(api);
          }),
        );
        await expectRows(api, 2 * events);
        return {
          events,
          samples: sampler.samples,
          phases,
          sent: ndjson().body.length / ndjson().events,
          waiting,
          wal: (full.wal - empty.wal) / events,
          disk: bytesOnDisk(empty.relations, full.relations, events),
        };
      } finally {
        await sampler.stop();
      }
    },
    { ROLE: 'api' },
  );
}

async function importEvents(eye: TheEye, events: number): Promise<void> {
  const what = ndjson();
  await load(eye.url, what, { amount: events / what.events });
}

async function importAndStore(eye: TheEye, events: number): Promise<void> {
  await importEvents(eye, events);
  await drained(eye);
}

async function onDisk(eye: TheEye): Promise<{ relations: Relation[]; wal: number }> {
  return { relations: await relations(eye), wal: await walPosition(eye) };
}

async function usedMemory(eye: TheEye): Promise<number> {
  const info = await eye.redis((redis) => redis.info('memory'));
  return Number(/^used_memory:(\d+)/m.exec(info)?.[1]);
}
