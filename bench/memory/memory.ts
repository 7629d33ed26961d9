import type { TheEye } from '../../test/support/the-eye.js';
import { drained } from '../support/backlog.js';
import { eventSize } from '../support/events.js';
import { load, ndjson } from '../support/load.js';
import { beside, onTheEye, stored, storedAtLeast } from '../support/on-the-eye.js';
import { bytesOnDisk, type OnDisk, relations, type Relation, walPosition } from './disk.js';
import { MemorySampler, type Phase, type Sample } from './memory-sampler.js';

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
  return onTheEye((api) => measure(api, events), { ROLE: 'api' });
}

async function measure(api: TheEye, events: number): Promise<MemoryResults> {
  const sampler = await MemorySampler.start(api);
  try {
    const empty = await onDisk(api);
    await withWorker(api, sampler, () =>
      sampler.during('import', async () => {
        await importEvents(api, events);
        await drained(api);
      }),
    );
    const full = await onDisk(api);
    const rows = await stored(api);
    const before = await usedMemory(api);
    const held = await sampler.during('hold', () => importEvents(api, events));
    const after = await usedMemory(api);
    await sampler.during('drain', () => withWorker(api, sampler, () => drained(api)));
    const waited = (await storedAtLeast(api, rows + held)) - rows;
    return {
      events,
      samples: sampler.samples,
      phases: sampler.phases,
      sent: eventSize(),
      waiting: (after - before) / waited,
      wal: (full.wal - empty.wal) / rows,
      disk: bytesOnDisk(empty.relations, full.relations, rows),
    };
  } finally {
    await sampler.stop();
  }
}

/** Resolves with how many were accepted. */
async function importEvents(eye: TheEye, events: number): Promise<number> {
  const what = ndjson();
  return (await load(eye.url, what, { amount: events / what.events })).events;
}

function withWorker(api: TheEye, sampler: MemorySampler, work: () => Promise<void>): Promise<void> {
  return beside(api, { ROLE: 'worker' }, async (worker) => {
    sampler.worker = worker.process.pid;
    try {
      await work();
    } finally {
      sampler.worker = undefined;
    }
  });
}

async function onDisk(eye: TheEye): Promise<{ relations: Relation[]; wal: number }> {
  return { relations: await relations(eye), wal: await walPosition(eye) };
}

async function usedMemory(eye: TheEye): Promise<number> {
  const info = await eye.redis((redis) => redis.info('memory'));
  return Number(/^used_memory:(\d+)/m.exec(info)?.[1]);
}
