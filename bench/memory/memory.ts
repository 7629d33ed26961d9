import { familyOf, serversOf, signalAll } from '../../testing/processes.js';
import type { TheEye } from '../../testing/the-eye.js';
import { waitForCopy, waitForDrain } from '../support/backlog.js';
import { eventSize } from '../support/events.js';
import { load, ndjson } from '../support/load.js';
import { peakMemoryOf } from '../support/processes.js';
import { onTheEye, stored, storedAtLeast } from '../../testing/on-the-eye.js';
import { bytesOnDisk, type RelationSize, relations, type Relation, walPosition } from './disk.js';
import { MemorySampler, type Phase, type Sample } from './memory-sampler.js';

export interface MemoryResults {
  /** Events in each of the two imports. */
  events: number;
  samples: Sample[];
  /** Peak resident memory of The Eye in bytes. */
  peak: number;
  phases: Phase[];
  /** Bytes per event: in the request, in Redis while queued, and in the write-ahead log. */
  sent: number;
  waiting: number;
  wal: number;
  /** Tables and indexes that grew. */
  disk: RelationSize[];
}

/** Measures the memory of the processes while events arrive and queue up, and the bytes per event on disk. */
export function measureMemory(quick: boolean): Promise<MemoryResults> {
  const events = quick ? 100_000 : 1_000_000;
  return onTheEye((eye) => measure(eye, events));
}

async function measure(eye: TheEye, events: number): Promise<MemoryResults> {
  const sampler = await MemorySampler.start(eye);
  try {
    const empty = await diskUsage(eye);
    await sampler.runPhase('import', async () => {
      await importEvents(eye, events);
      await waitForDrain(eye);
    });
    await waitForCopy(eye);
    const full = await diskUsage(eye);
    const rows = await stored(eye);
    const before = await usedMemory(eye);
    const resume = await freezePostgres(eye);
    const heldEvents = await sampler.runPhase('hold', () => importEvents(eye, events)).finally(resume);
    const after = await usedMemory(eye);
    await sampler.runPhase('drain', () => waitForDrain(eye));
    const waitingEvents = (await storedAtLeast(eye, rows + heldEvents)) - rows;
    return {
      events,
      samples: sampler.samples,
      peak: await peakMemoryOf(eye.pid),
      phases: sampler.phases,
      sent: eventSize(),
      waiting: (after - before) / waitingEvents,
      wal: (full.wal - empty.wal) / rows,
      disk: bytesOnDisk(empty.relations, full.relations, rows),
    };
  } finally {
    await sampler.stop();
  }
}

/** Resolves with the number of accepted events. */
async function importEvents(eye: TheEye, events: number): Promise<number> {
  const workload = ndjson();
  return (await load(eye.url, workload, { amount: events / workload.events })).events;
}

/** Suspends all processes of PostgreSQL, so that accepted events queue up. Resolves with a function that resumes them. */
async function freezePostgres({ dataDir }: TheEye): Promise<() => void> {
  const processes = await familyOf((await serversOf(dataDir)).postgres);
  signalAll(processes, 'SIGSTOP');
  return () => signalAll(processes, 'SIGCONT');
}

async function diskUsage(eye: TheEye): Promise<{ relations: Relation[]; wal: number }> {
  return { relations: await relations(eye), wal: await walPosition(eye) };
}

async function usedMemory(eye: TheEye): Promise<number> {
  const info = await eye.redis((redis) => redis.info('memory'));
  return Number(/^used_memory:(\d+)/m.exec(info)?.[1]);
}
