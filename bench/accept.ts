import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { TheEye } from '../test/support/the-eye.js';
import { copy } from './limits/copy.js';
import { LimitServer } from './limits/limit-server.js';
import { event, manyEvents, oneEvent } from './events.js';
import { type Answers, load, type Load } from './load.js';
import { residentMemory } from './machine.js';
import { onTheEye } from './on-the-eye.js';
import { medianAndSpread, printTable } from './table.js';

const ARRAY = 500;

/** For the event of a single post. */
const SCHEMA = {
  properties: {
    host: { type: 'string', maxLength: 255 },
    path: { type: 'string', pattern: '^/' },
    element: { type: 'string' },
    price: { type: 'number', minimum: 0 },
    tags: { type: 'array', items: { type: 'string' } },
  },
  required: ['host', 'path'],
  additionalProperties: false,
};

interface Figures {
  /** Events a second until the last answer. */
  accepted: number;
  /** Events a second until the last one is stored. */
  stored?: number;
  p50?: number;
  p99?: number;
}

const contenders = (single: Load, arrays: Load): Record<string, () => Promise<Figures>> => ({
  'limit: bare Fastify, single': () => limit('fastify', single),
  'limit: Nest with the pipe, single': () => limit('nest', single),
  'The Eye, single': () => theEye(single),
  'The Eye, single, with key, schema and rate limit': () => guarded(single),
  'limit: Nest with the pipe, arrays of 500': () => limit('nest', arrays),
  'limit: COPY, two connections': () => onTheEye(async (eye) => ({ accepted: await copy(eye.databaseUrl) })),
  'The Eye, arrays of 500': () => theEye(arrays),
});

async function limit(name: 'fastify' | 'nest', what: Load): Promise<Figures> {
  const server = await LimitServer.start(name);
  try {
    return accepted(await load(server.url, what));
  } finally {
    await server.close();
  }
}

const accepted = ({ events, seconds, p50, p99 }: Answers): Figures => ({
  accepted: events / seconds,
  p50,
  p99,
});

const theEye = (what: Load): Promise<Figures> => onTheEye((eye) => acceptAndStore(eye, what));

/** The same with all that stands guard: each request shows a key that is counted, each event is held against a schema. */
function guarded(what: Load): Promise<Figures> {
  return onTheEye(
    async (eye) => {
      const headers = { authorization: `Bearer ${await newKey(eye)}` };
      await register(eye, headers);
      return acceptAndStore(eye, { ...what, headers });
    },
    { AUTH: 'required' },
  );
}

async function newKey({ dataDir }: TheEye): Promise<string> {
  const args = ['create', 'bench', '--scope', 'admin', '--rate-limit', '900000000'];
  const env = { ...process.env, DATA_DIR: dataDir };
  const { stdout } = await promisify(execFile)(process.execPath, ['dist/applications/command.js', ...args], {
    env,
  });
  return /^Key\s+(\S+)/m.exec(stdout)?.[1] ?? '';
}

async function register(eye: TheEye, headers: Record<string, string>): Promise<void> {
  const { category, name } = event(0) as { category: string; name: string };
  const path = `/event-types/${encodeURIComponent(category)}/${encodeURIComponent(name)}/`;
  const { status } = await eye.request('PUT', path, {
    body: JSON.stringify({ mode: 'enforce', schema: SCHEMA }),
    headers: { ...headers, 'content-type': 'application/json' },
  });
  if (status !== 201) throw new Error(`The schema was not taken: ${status}`);
}

async function acceptAndStore(eye: TheEye, what: Load): Promise<Figures> {
  const began = performance.now();
  const answers = await load(eye.url, what);
  await eye.drained();
  const seconds = (performance.now() - began) / 1000;
  await expectRows(eye, answers.events);
  return { ...accepted(answers), stored: answers.events / seconds };
}

/** A figure for events that were not stored would be worth nothing. */
async function expectRows(eye: TheEye, atLeast: number): Promise<void> {
  const [row] = await eye.sql<{ stored: number }>('SELECT count(*)::int AS stored FROM events');
  if ((row?.stored ?? 0) < atLeast) throw new Error(`Only ${row?.stored} of ${atLeast} events were stored.`);
}

async function memoryAfter(events: number, arrays: Load): Promise<string> {
  return onTheEye(async (eye) => {
    const pid = eye.process.pid ?? 0;
    const before = await residentMemory(pid);
    let sent = 0;
    let highest = before;
    while (sent < events) {
      sent += (await load(eye.url, { ...arrays, duration: 2 })).events;
      highest = Math.max(highest, await residentMemory(pid));
    }
    await eye.drained();
    await expectRows(eye, sent);
    const after = await residentMemory(pid);
    return `Resident memory: ${before} MiB at start, ${highest} MiB at most, ${after} MiB after ${sent.toLocaleString('en')} events.`;
  });
}

/**
 * How many events a second are accepted and stored, beside the limits. Each round runs every contender once, so that a
 * machine that grows slower meanwhile slows all of them.
 */
export async function benchAccept(quick: boolean): Promise<void> {
  const rounds = quick ? 1 : 3;
  const duration = quick ? 5 : 10;
  const single = { connections: 64, duration, body: oneEvent(), events: 1 };
  const arrays = { connections: 8, duration, body: manyEvents(ARRAY), events: ARRAY };
  const entries = Object.entries(contenders(single, arrays));
  const figures = new Map<string, Figures[]>(entries.map(([name]) => [name, []]));
  for (let round = 1; round <= rounds; round++) {
    for (const [name, measure] of entries) {
      console.error(`round ${round} of ${rounds}: ${name}`);
      figures.get(name)?.push(await measure());
    }
  }
  const keys = ['accepted', 'stored', 'p50', 'p99'] as const;
  console.log(`Rounds: ${rounds}, of ${duration} s each; medians (slowest to fastest round).\n`);
  printTable(
    ['what', 'accepted, events/s', 'stored, events/s', 'p50, ms', 'p99, ms'],
    [...figures].map(([name, all]) => [
      name,
      ...keys.map((key) => medianAndSpread(all.flatMap((each) => each[key] ?? []))),
    ]),
  );
  console.log(`\n${await memoryAfter(quick ? 100_000 : 1_000_000, arrays)}\n`);
}
