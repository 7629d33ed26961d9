import { familyOf, serversOf, signalAll } from '../../testing/processes.js';
import type { TheEye } from '../../testing/the-eye.js';
import { drained, folded } from '../support/backlog.js';
import { eventSize } from '../support/events.js';
import { load, ndjson } from '../support/load.js';
import { peakOf } from '../support/processes.js';
import { onTheEye, stored, storedAtLeast } from '../../testing/on-the-eye.js';
import { bytesOnDisk, type OnDisk, relations, type Relation, walPosition } from './disk.js';
import { MemorySampler, type Phase, type Sample } from './memory-sampler.js';

export interface MemoryResults {
  /** Events of each of the two imports. */
  events: number;
  samples: Sample[];
  /** Bytes that The Eye held at most, at any moment. */
  peak: number;
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
  return onTheEye((eye) => measure(eye, events));
}

async function measure(eye: TheEye, events: number): Promise<MemoryResults> {
  const sampler = await MemorySampler.start(eye);
  try {
    const empty = await onDisk(eye);
    await sampler.during('import', async () => {
      await importEvents(eye, events);
      await drained(eye);
    });
    await folded(eye);
    const full = await onDisk(eye);
    const rows = await stored(eye);
    const before = await usedMemory(eye);
    const thaw = await freezePostgres(eye);
    const held = await sampler.during('hold', () => importEvents(eye, events)).finally(thaw);
    const after = await usedMemory(eye);
    await sampler.during('drain', () => drained(eye));
    const waited = (await storedAtLeast(eye, rows + held)) - rows;
    return {
      events,
      samples: sampler.samples,
      peak: await peakOf(eye.process.pid ?? 0),
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

/** Stops all processes of PostgreSQL, so that everything accepted waits; resolves with what lets them go on. */
async function freezePostgres({ dataDir }: TheEye): Promise<() => void> {
  const processes = await familyOf((await serversOf(dataDir)).postgres);
  signalAll(processes, 'SIGSTOP');
  return () => signalAll(processes, 'SIGCONT');
}

async function onDisk(eye: TheEye): Promise<{ relations: Relation[]; wal: number }> {
  return { relations: await relations(eye), wal: await walPosition(eye) };
}

async function usedMemory(eye: TheEye): Promise<number> {
  const info = await eye.redis((redis) => redis.info('memory'));
  return Number(/^used_memory:(\d+)/m.exec(info)?.[1]);
}
