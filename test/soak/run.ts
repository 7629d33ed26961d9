import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { machineSection } from '../../testing/machine-section.js';
import { table } from '../../testing/table.js';
import { describeMachine } from '../../testing/machine.js';
import { brokenPromises } from '../support/ledger.js';
import { serversOf } from '../../testing/processes.js';
import { Random } from '../../testing/random.js';
import { eventually, TheEye } from '../../testing/the-eye.js';
import { privateMemory } from './memory.js';
import { Traffic } from './traffic.js';
import { grows, type Slack, type Trend, trendOf } from './trend.js';

/*
 * npm run test:soak [-- [--minutes n] [--rate events-a-second] [--seed s]]
 *
 * Runs a steady load with bursts for a long time. Checks that memory and latency stay flat, that every event is accounted
 * for, and that no backlog is left. Exits with 1 otherwise. It needs about a kilobyte of memory per event it sends.
 */

const SAMPLE_INTERVAL_MS = 1000;

/** Allows for garbage collection. A leak of one event in a hundred exceeds this in ten minutes. */
const MEMORY_SLACK: Slack = { share: 0.1, plus: 8 };

/** In milliseconds. Allows for other load on the machine. */
const LATENCY_SLACK: Slack = { share: 0.5, plus: 5 };

/** The documented maximum response time. */
const MAX_RESPONSE_MS = 2000;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    rate: { type: 'string', default: '100' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
  },
});

interface Row {
  name: string;
  trend: Trend;
  slack: Slack;
}

/** @returns descriptions of the checks that failed */
async function main(): Promise<string[]> {
  const duration = positiveNumber('minutes') * 60;
  const seed = positiveNumber('seed');
  console.log(`${machineSection(await describeMachine())} ${values.minutes} minutes, seed ${seed}.\n`);
  const api = await TheEye.start({ ROLE: 'api' });
  const worker = await TheEye.start({ ROLE: 'worker', DATA_DIR: api.dataDir });
  process.once('SIGINT', () => void worker.end().then(() => api.close()));
  try {
    const traffic = new Traffic(api, { rate: positiveNumber('rate'), duration, random: new Random(seed) });
    const memory = await sampleMemory(api, worker, traffic.run());
    const rows: Row[] = [
      ...[...memory].map(([name, samples]) => ({ name, trend: trendOf(samples), slack: MEMORY_SLACK })),
      { name: 'response, ms: median', trend: trendOf(traffic.latencies), slack: LATENCY_SLACK },
      { name: 'response, ms: p95', trend: trendOf(traffic.latencies, 0.95), slack: LATENCY_SLACK },
    ];
    printTable(rows);
    return [
      ...rows.filter(({ trend, slack }) => grows(trend, slack)).map(({ name }) => `growth: ${name}`),
      ...checkLatency(traffic.latencies),
      ...traffic.faults,
      ...(await verifyAccounts(api, traffic)),
    ];
  } finally {
    await worker.end();
    await api.close();
  }
}

/** Samples the memory of each process in mebibytes once a second, until the work is done. */
async function sampleMemory(
  api: TheEye,
  worker: TheEye,
  work: Promise<void>,
): Promise<ReadonlyMap<string, number[]>> {
  const { redis, postgres } = await serversOf(api.dataDir);
  const pids = new Map(
    Object.entries({ API: api.process.pid, worker: worker.process.pid, Redis: redis, PostgreSQL: postgres }),
  );
  const samples = new Map<string, number[]>([...pids.keys()].map((name) => [`memory, MiB: ${name}`, []]));
  let done = false;
  const finished = work.finally(() => (done = true));
  while (!done) {
    for (const [name, pid = 0] of pids) samples.get(`memory, MiB: ${name}`)?.push(await privateMemory(pid));
    await Promise.race([finished, wait(SAMPLE_INTERVAL_MS)]);
  }
  await finished;
  return samples;
}

function checkLatency(latencies: readonly number[]): string[] {
  const longest = latencies.reduce((most, one) => Math.max(most, one), 0);
  console.log(`\nSlowest response: ${Math.round(longest)} ms.`);
  return longest > MAX_RESPONSE_MS ? [`a response took ${Math.round(longest)} ms`] : [];
}

/** Checks that every event is stored once or counted as refused by its code, and that no backlog is left. */
async function verifyAccounts(api: TheEye, { ledger, refused, events }: Traffic): Promise<string[]> {
  const account = await ledger.account(api);
  const counted = await eventually(() => compareRejections(api, refused), 10_000).catch(
    (error: Error) => error.message,
  );
  const backlog = await eventually(async () => {
    const { body } = await api.get('/health/ready');
    if (body.checks.backlog.events !== 0)
      throw new Error(`a backlog of ${body.checks.backlog.events} remains`);
    return undefined;
  }).catch((error: Error) => error.message);
  const sum = [...refused.values()].reduce((all, count) => all + count, 0);
  console.log(
    `Sent ${events} events: ${account.acknowledged} distinct ones acknowledged, ${account.stored} stored, ` +
      `${account.lost} lost, ${account.doubled} doubled, ${account.changed} changed; ${sum} refused.`,
  );
  return [
    ...brokenPromises(account),
    ...(account.stored === account.acknowledged ? [] : ['stored and acknowledged counts differ']),
    ...[counted, backlog].filter((complaint) => complaint !== undefined),
  ];
}

/** @throws Error while the counts of The Eye, which are written twice a second, differ from those of the sender */
async function compareRejections(api: TheEye, refused: ReadonlyMap<string, number>): Promise<undefined> {
  const { body } = await api.get('/rejections/summary/?interval=day');
  const counts = new Map<string, number>();
  for (const { code, count } of body.results as { code: string; count: number }[])
    counts.set(code, (counts.get(code) ?? 0) + count);
  const format = (map: ReadonlyMap<string, number>): string =>
    JSON.stringify(Object.fromEntries([...map].toSorted()));
  if (format(counts) !== format(refused))
    throw new Error(`refused: ${format(refused)}, counted by The Eye: ${format(counts)}`);
}

function printTable(rows: readonly Row[]): void {
  console.log(
    table(
      ['measurement', 'first third', 'middle third', 'last third', 'limit'],
      rows.map(({ name, trend: { first, middle, last }, slack: { share, plus } }) => [
        name,
        ...[first, middle, last, middle * (1 + share) + plus].map((figure) => figure.toFixed(1)),
      ]),
    ),
  );
}

function positiveNumber(name: 'minutes' | 'rate' | 'seed'): number {
  const number = Number(values[name]);
  if (!(number > 0)) throw new Error(`--${name} must be a number above 0, not ${values[name]}`);
  return number;
}

main().then(
  (complaints) => {
    console.log(
      complaints.length === 0 ? '\nAll checks passed.' : `\nFailed checks: ${complaints.join('; ')}.`,
    );
    process.exit(complaints.length === 0 ? 0 : 1);
  },
  (error: Error) => {
    console.error(error.message);
    process.exit(1);
  },
);
