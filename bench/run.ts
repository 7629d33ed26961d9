import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { remove, TheEye } from '../test/support/the-eye.js';
import { copy } from './limits/copy.js';
import { LimitServer } from './limits/limit-server.js';
import { manyEvents, oneEvent } from './events.js';
import { type Answers, load, type Load } from './load.js';
import { machine, median, residentMemory } from './machine.js';

/*
 * npm run bench [-- quick]
 *
 * The Eye and its physical limits side by side, in interleaved rounds: each round runs every contender once, so that a
 * machine that grows slower meanwhile slows all of them. Medians, with the slowest and the fastest round beside them.
 */

const quick = process.argv.includes('quick');
const ROUNDS = quick ? 1 : 3;
const SECONDS = quick ? 5 : 10;
const ARRAY = 500;
const MILLION = quick ? 100_000 : 1_000_000;

interface Figures {
  /** Events a second until the last answer. */
  accepted: number;
  /** Events a second until the last one is stored. */
  stored?: number;
  p50?: number;
  p99?: number;
}

const single: Load = { connections: 64, duration: SECONDS, body: oneEvent(), events: 1 };
const arrays: Load = { connections: 8, duration: SECONDS, body: manyEvents(ARRAY), events: ARRAY };

const contenders: Record<string, () => Promise<Figures>> = {
  'limit: bare Fastify, single': () => limit('fastify', single),
  'limit: Nest with the pipe, single': () => limit('nest', single),
  'The Eye, single': () => theEye(single),
  'limit: Nest with the pipe, arrays of 500': () => limit('nest', arrays),
  'limit: COPY, two connections': () => onTheEye(async (eye) => ({ accepted: await copy(eye.databaseUrl) })),
  'The Eye, arrays of 500': () => theEye(arrays),
};

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

function theEye(what: Load): Promise<Figures> {
  return onTheEye(async (eye) => {
    const began = performance.now();
    const answers = await load(eye.url, what);
    await eye.drained();
    const seconds = (performance.now() - began) / 1000;
    await expectRows(eye, answers.events);
    return { ...accepted(answers), stored: answers.events / seconds };
  });
}

/** A fresh one for each measurement, as `npm start` starts it. */
async function onTheEye<Result>(measure: (eye: TheEye) => Promise<Result>): Promise<Result> {
  const dataDir = await mkdtemp(join(tmpdir(), 'eye-bench-'));
  const eye = await TheEye.start({ DATA_DIR: dataDir });
  try {
    return await measure(eye);
  } finally {
    await eye.end();
    await remove(dataDir);
  }
}

/** A figure for events that were not stored would be worth nothing. */
async function expectRows(eye: TheEye, atLeast: number): Promise<void> {
  const [row] = await eye.sql<{ stored: number }>('SELECT count(*)::int AS stored FROM events');
  if ((row?.stored ?? 0) < atLeast) throw new Error(`Only ${row?.stored} of ${atLeast} events were stored.`);
}

async function memoryAfter(events: number): Promise<string> {
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

const figures = new Map<string, Figures[]>(Object.keys(contenders).map((name) => [name, []]));
for (let round = 1; round <= ROUNDS; round++) {
  for (const [name, measure] of Object.entries(contenders)) {
    console.error(`round ${round} of ${ROUNDS}: ${name}`);
    figures.get(name)?.push(await measure());
  }
}

const number = (value: number): string => Math.round(value).toLocaleString('en');
const cell = (rounds: Figures[], key: keyof Figures): string => {
  const values = rounds.flatMap((round) => round[key] ?? []);
  if (values.length === 0) return '';
  const spread =
    values.length > 1 ? ` (${number(Math.min(...values))} to ${number(Math.max(...values))})` : '';
  return `${number(median(values))}${spread}`;
};
console.log(`${machine()}; ${ROUNDS} rounds of ${SECONDS} s, the load generator beside them.\n`);
console.log('| what | accepted, events/s | stored, events/s | p50, ms | p99, ms |');
console.log('| --- | ---: | ---: | ---: | ---: |');
for (const [name, rounds] of figures) {
  const cells = (['accepted', 'stored', 'p50', 'p99'] as const).map((key) => cell(rounds, key));
  console.log(`| ${name} | ${cells.join(' | ')} |`);
}
console.log(`\n${await memoryAfter(MILLION)}`);
