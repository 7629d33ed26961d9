import { setTimeout as wait } from 'node:timers/promises';
import type { TheEye } from '../../testing/the-eye.js';
import { waitForCopy, waitForDrain } from '../support/backlog.js';
import { type LimitName, LimitServer } from '../support/limit-server.js';
import { type RunLength, type Workload, load, singles } from '../support/load.js';
import { onTheEye, stored, storedAtLeast } from '../../testing/on-the-eye.js';
import { cpuPerEvent, type Cpu, cpuOf, cpuShare } from '../support/processes.js';
import { logProgress } from '../support/progress.js';
import type { Latency } from '../../testing/statistics.js';
import { type Contender, contenders, type Kind } from './contenders.js';
import { requireKeyAndSchema } from './guard.js';

/** Warm-up before each measurement, in which V8 compiles the hot code. */
const WARM_UP = { duration: 2 };

export interface RoundResult extends Latency {
  /** Events per second until the last response. */
  accepted: number;
  /** Events per second until the last one is stored. Undefined for a limit, which stores nothing. */
  stored?: number;
  /** Requests that got a 503 response. */
  refused: number;
  /** Microseconds per event, until the last one is stored and copied to ClickHouse. */
  cpu: Cpu;
}

export interface ContenderResult {
  kind: Kind;
  connections: number;
  /** Events per request. */
  events: number;
  isNdjson: boolean;
  /** Requests per second of all connections together; undefined for as many as they can send. */
  perSecond?: number;
  rounds: RoundResult[];
}

/** The CPU time that The Eye uses while no requests arrive. */
export interface IdleResults {
  /** Seconds per round. */
  duration: number;
  /** Thousandths of one core. */
  rounds: Cpu[];
}

export interface AcceptResults {
  /** Seconds per round. */
  duration: number;
  contenders: ContenderResult[];
  idle: IdleResults;
}

/**
 * Measures how many events per second are accepted and stored, compared with the limits. Each round runs every contender
 * once, so that a slowdown of the machine affects all of them.
 */
export async function measureAccept(quick: boolean): Promise<AcceptResults> {
  const rounds = quick ? 1 : 3;
  const duration = quick ? 3 : 10;
  const all = contenders(quick).map((contender) => ({ contender, results: [] as RoundResult[] }));
  const idle: IdleResults = { duration: quick ? 20 : 60, rounds: [] };
  // Seconds after the last event. V8 collects garbage and PostgreSQL vacuums for minutes, which the short form does not wait for.
  const settle = quick ? 15 : 240;
  for (let round = 1; round <= rounds; round++) {
    for (const { contender, results } of all) {
      const { kind, load, requests } = contender;
      const pace = load.perSecond === undefined ? '' : `, ${load.perSecond}/s`;
      logProgress(
        `accept, round ${round} of ${rounds}: ${kind}, ${load.connections} × ${load.events}${pace}`,
      );
      const runLength = requests === undefined ? { duration } : { amount: requests };
      results.push(await measure(contender, runLength));
    }
    logProgress(`accept, round ${round} of ${rounds}: idle`);
    idle.rounds.push(await onTheEye((eye) => measureIdle(eye, settle, idle.duration)));
  }
  return {
    duration,
    idle,
    contenders: all.map(({ contender: { kind, load }, results }) => ({
      kind,
      connections: load.connections,
      events: load.events,
      isNdjson: load.contentType === 'application/x-ndjson',
      ...(load.perSecond !== undefined && { perSecond: load.perSecond }),
      rounds: results,
    })),
  };
}

function measure({ kind, load }: Contender, runLength: RunLength): Promise<RoundResult> {
  switch (kind) {
    case 'fastify':
    case 'nest':
    case 'append':
    case 'insert':
      return measureLimit(kind, load, runLength);
    case 'eye':
    case 'segment':
    case 'translated':
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

/** @param kind a limit, or a contender that has stored the events of a request when it responds */
async function measureLimit(kind: LimitName, workload: Workload, runLength: RunLength): Promise<RoundResult> {
  const server = await LimitServer.start(kind);
  try {
    await warmUp(server.url, workload);
    const countBefore = await server.count();
    const before = await cpuOf(server);
    const { events, refused, seconds, latency } = await load(server.url, workload, runLength);
    const after = await cpuOf(server);
    // The end of the load cuts off some requests, whose events are stored all the same.
    const kept = keptEvents(countBefore, await server.count(), events);
    return {
      accepted: events / seconds,
      ...(kind === 'insert' && { stored: kept / seconds }),
      ...latency,
      refused,
      cpu: cpuPerEvent(before, after, kept),
    };
  } finally {
    await server.close();
  }
}

/** @throws Error if fewer events are kept than were accepted, because a figure for events that were lost is worthless */
function keptEvents(before: number | undefined, after: number | undefined, accepted: number): number {
  if (before === undefined || after === undefined) return accepted;
  if (after - before < accepted) throw new Error(`Only ${after - before} of ${accepted} events were kept.`);
  return after - before;
}

/** At full speed, because a process that serves a low rate has compiled its code long before. */
function warmUp(url: string, workload: Workload): Promise<unknown> {
  return load(url, { ...workload, perSecond: undefined }, WARM_UP);
}

/** Measures an Eye that has stored events, and has nothing more to do. */
async function measureIdle(eye: TheEye, settleSeconds: number, seconds: number): Promise<Cpu> {
  await warmUp(eye.url, singles(10));
  await waitForDrain(eye);
  await waitForCopy(eye);
  await wait(settleSeconds * 1000);
  const startedAt = performance.now();
  const before = await cpuOf(eye);
  await wait(seconds * 1000);
  const after = await cpuOf(eye);
  return cpuShare(before, after, (performance.now() - startedAt) / 1000);
}

async function measureTheEye(eye: TheEye, workload: Workload, runLength: RunLength): Promise<RoundResult> {
  await warmUp(eye.url, workload);
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
