import type { TheEye } from '../../testing/the-eye.js';
import { drained, folded } from '../support/backlog.js';
import { LimitServer } from '../support/limit-server.js';
import { type Extent, type Load, load } from '../support/load.js';
import { onTheEye, stored, storedAtLeast } from '../../testing/on-the-eye.js';
import { anEvent, type Cpu, cpuOf, cpuOfLimit } from '../support/processes.js';
import { progress } from '../support/progress.js';
import type { Latency } from '../../testing/statistics.js';
import { type Contender, contenders, type Kind } from './contenders.js';
import { guard } from './guard.js';

/** Seconds in which Node compiles what is hot, before anything counts. */
const WARM_UP = 2;

export interface Figures extends Latency {
  /** Events a second until the last answer. */
  accepted: number;
  /** Events a second until the last one is stored; a limit stores nothing. */
  stored?: number;
  /** Requests that were answered 503. */
  refused: number;
  /** Microseconds an event, until the last one is stored, counted and in its session. */
  cpu: Cpu;
}

export interface Accepted {
  kind: Kind;
  connections: number;
  /** Events in a request. */
  events: number;
  isNdjson: boolean;
  rounds: Figures[];
}

export interface AcceptResults {
  /** Seconds of a round. */
  duration: number;
  contenders: Accepted[];
}

/**
 * How many events a second are accepted and stored, beside the limits. Each round runs every contender once, so that a
 * machine that grows slower meanwhile slows all of them.
 */
export async function measureAccept(quick: boolean): Promise<AcceptResults> {
  const rounds = quick ? 1 : 3;
  const duration = quick ? 3 : 10;
  const all = contenders(quick).map((contender) => ({ contender, figures: [] as Figures[] }));
  for (let round = 1; round <= rounds; round++) {
    for (const { contender, figures } of all) {
      const { kind, load, requests } = contender;
      progress(`accept, round ${round} of ${rounds}: ${kind}, ${load.connections} × ${load.events}`);
      const extent = requests === undefined ? { duration } : { amount: requests };
      figures.push(await measure(contender, extent));
    }
  }
  return {
    duration,
    contenders: all.map(({ contender: { kind, load }, figures }) => ({
      kind,
      connections: load.connections,
      events: load.events,
      isNdjson: load.contentType === 'application/x-ndjson',
      rounds: figures,
    })),
  };
}

function measure({ kind, load }: Contender, extent: Extent): Promise<Figures> {
  switch (kind) {
    case 'fastify':
    case 'nest':
      return onTheLimit(kind, load, extent);
    case 'eye':
      return onTheEye((eye) => acceptAndStore(eye, load, extent));
    case 'guarded':
      return onTheEye(async (eye) => acceptAndStore(eye, { ...load, headers: await guard(eye) }, extent), {
        AUTH: 'required',
      });
  }
}

async function onTheLimit(kind: 'fastify' | 'nest', what: Load, extent: Extent): Promise<Figures> {
  const server = await LimitServer.start(kind);
  try {
    await load(server.url, what, { duration: WARM_UP });
    const before = await cpuOfLimit(server.pid);
    const { events, refused, seconds, latency } = await load(server.url, what, extent);
    const cpu = anEvent(before, await cpuOfLimit(server.pid), events);
    return { accepted: events / seconds, ...latency, refused, cpu };
  } finally {
    await server.close();
  }
}

async function acceptAndStore(eye: TheEye, what: Load, extent: Extent): Promise<Figures> {
  await load(eye.url, what, { duration: WARM_UP });
  await drained(eye);
  await folded(eye);
  const rows = await stored(eye);
  const before = await cpuOf(eye);
  const began = performance.now();
  const { events, refused, seconds, latency } = await load(eye.url, what, extent);
  await drained(eye);
  const untilStored = (performance.now() - began) / 1000;
  await folded(eye);
  const after = await cpuOf(eye);
  const more = (await storedAtLeast(eye, rows + events)) - rows;
  return {
    accepted: events / seconds,
    stored: more / untilStored,
    ...latency,
    refused,
    cpu: anEvent(before, after, more),
  };
}
