import type { TheEye } from '../../testing/the-eye.js';
import { waitForCopy, waitForDrain } from '../support/backlog.js';
import { LimitServer } from '../support/limit-server.js';
import { type RunLength, type Workload, load } from '../support/load.js';
import { onTheEye, stored, storedAtLeast } from '../../testing/on-the-eye.js';
import { cpuPerEvent, type Cpu, cpuOf, cpuOfLimit } from '../support/processes.js';
import { logProgress } from '../support/progress.js';
import type { Latency } from '../../testing/statistics.js';
import { type Contender, contenders, type Kind } from './contenders.js';
import { requireKeyAndSchema } from './guard.js';

/** Warm-up before each measurement, in which V8 compiles the hot code. */
const WARM_UP_SECONDS = 2;

export interface RoundResult extends Latency {
  /** Events per second until the last response. */
  accepted: number;
  /** Events per second until the last one is stored. Undefined for a limit, which stores nothing. */
  stored?: number;
  /** Requests that got a 503 response. */
  refused: number;
  /** Microseconds per event, until the last one is stored and rolled up into counts. */
  cpu: Cpu;
}

export interface ContenderResult {
  kind: Kind;
  connections: number;
  /** Events per request. */
  events: number;
  isNdjson: boolean;
  rounds: RoundResult[];
}

export interface AcceptResults {
  /** Seconds per round. */
  duration: number;
  contenders: ContenderResult[];
}

/**
 * Measures how many events per second are accepted and stored, compared with the limits. Each round runs every contender
 * once, so that a slowdown of the machine affects all of them.
 */
export async function measureAccept(quick: boolean): Promise<AcceptResults> {
  const rounds = quick ? 1 : 3;
  const duration = quick ? 3 : 10;
  const all = contenders(quick).map((contender) => ({ contender, results: [] as RoundResult[] }));
  for (let round = 1; round <= rounds; round++) {
    for (const { contender, results } of all) {
      const { kind, load, requests } = contender;
      logProgress(`accept, round ${round} of ${rounds}: ${kind}, ${load.connections} × ${load.events}`);
      const runLength = requests === undefined ? { duration } : { amount: requests };
      results.push(await measure(contender, runLength));
    }
  }
  return {
    duration,
    contenders: all.map(({ contender: { kind, load }, results }) => ({
      kind,
      connections: load.connections,
      events: load.events,
      isNdjson: load.contentType === 'application/x-ndjson',
      rounds: results,
    })),
  };
}

function measure({ kind, load }: Contender, runLength: RunLength): Promise<RoundResult> {
  switch (kind) {
    case 'fastify':
    case 'nest':
      return measureLimit(kind, load, runLength);
    case 'eye':
      return onTheEye((eye) => measureTheEye(eye, load, runLength));
    case 'guarded':
      return onTheEye(
        async (eye) => measureTheEye(eye, { ...load, headers: await requireKeyAndSchema(eye) }, runLength),
        {
          AUTH: 'required',
        },
      );
  }
}

async function measureLimit(
  kind: 'fastify' | 'nest',
  workload: Workload,
  runLength: RunLength,
): Promise<RoundResult> {
  const server = await LimitServer.start(kind);
  try {
    await load(server.url, workload, { duration: WARM_UP_SECONDS });
    const before = await cpuOfLimit(server.pid);
    const { events, refused, seconds, latency } = await load(server.url, workload, runLength);
    const cpu = cpuPerEvent(before, await cpuOfLimit(server.pid), events);
    return { accepted: events / seconds, ...latency, refused, cpu };
  } finally {
    await server.close();
  }
}

async function measureTheEye(eye: TheEye, workload: Workload, runLength: RunLength): Promise<RoundResult> {
  await load(eye.url, workload, { duration: WARM_UP_SECONDS });
  await waitForDrain(eye);
  await waitForCopy(eye);
  const rowsBefore = await stored(eye);
  const before = await cpuOf(eye);
  const startedAt = performance.now();
  const { events, refused, seconds, latency } = await load(eye.url, workload, runLength);
  await waitForDrain(eye);
  const secondsUntilStored = (performance.now() - startedAt) / 1000;
  await waitForCopy(eye);
  const after = await cpuOf(eye);
  const storedEvents = (await storedAtLeast(eye, rowsBefore + events)) - rowsBefore;
  return {
    accepted: events / seconds,
    stored: storedEvents / secondsUntilStored,
    ...latency,
    refused,
    cpu: cpuPerEvent(before, after, storedEvents),
  };
}
