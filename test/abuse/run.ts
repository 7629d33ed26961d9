import { parseArgs } from 'node:util';
import { machineSection } from '../../testing/machine-section.js';
import { describeMachine } from '../../testing/machine.js';
import { table } from '../../testing/table.js';
import type { TheEye } from '../../testing/the-eye.js';
import { endRun, prepareRun } from '../setup/test-run.js';
import { startEmbedded } from '../support/start-eye.js';
import type { Attack } from './attack.js';
import { Attacker } from './attacker.js';
import { ATTACKS } from './attacks.js';
import type { Experience } from './good-traffic.js';
import { complaints, failed, p99, type Result, SETTINGS, Trial } from './trial.js';

/*
 * npm run test:abuse [-- [--only pattern] [--seconds n] [--short]]
 *
 * Attacks The Eye with the keys of one application, and measures a good sender and a good reader of another one before and
 * during each attack. Prints a Markdown table. Exits with 1 if a promise was broken.
 */

interface Row {
  name: string;
  result?: Result;
  complaints: string[];
}

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    seconds: { type: 'string', default: '8' },
    short: { type: 'boolean', default: false },
  },
});

let running: TheEye | undefined;
let trial: Trial | undefined;
let attacker: Attacker | undefined;

async function main(): Promise<boolean> {
  const seconds = Number(values.seconds);
  if (!(seconds > 0)) throw new Error(`--seconds must be a number above 0, not ${values.seconds}`);
  const attacks = ATTACKS.filter(
    ({ name, short }) => new RegExp(values.only).test(name) && (!values.short || short),
  );
  if (attacks.length === 0)
    throw new Error(
      `No attack matches ${values.only}. Attacks:\n${ATTACKS.map(({ name }) => name).join('\n')}`,
    );
  console.log(`${machineSection(await describeMachine())}\n`);
  await prepareRun();
  attacker = Attacker.start();
  const rows: Row[] = [];
  for (const attack of attacks) {
    const row = await runAttack(attack, attacker, seconds * 1000);
    console.error(
      `${cellsOf(row).join(' | ')}${row.complaints.map((complaint) => `\n  ${complaint}`).join('')}`,
    );
    rows.push(row);
  }
  await stop();
  console.log(table(HEAD, rows.map(cellsOf)));
  const broken = rows.filter(({ complaints }) => complaints.length > 0);
  for (const { name, complaints } of broken) console.log(`\n${name}: ${complaints.join('; ')}.`);
  return broken.length === 0;
}

/**
 * An attack that prepares nothing runs on the Eye of the one before, unless that broke a promise: what an attack leaves
 * behind does not count against the next.
 */
async function runAttack(attack: Attack, attacker: Attacker, attackMs: number): Promise<Row> {
  if (attack.prepare) await stop();
  running ??= await startEmbedded(SETTINGS);
  const { deaths } = running;
  try {
    trial ??= await Trial.on(running, attacker);
    const result = await trial.run(attack, { beforeMs: attackMs / 2, attackMs });
    const broken = [...complaints(attack, result), ...deaths];
    if (broken.length > 0 || attack.prepare) await stop();
    return { name: attack.name, result, complaints: broken };
  } catch (error) {
    await stop();
    return { name: attack.name, complaints: [(error as Error).message.split('\n')[0] ?? '', ...deaths] };
  }
}

async function stop(): Promise<void> {
  const eye = running;
  running = trial = undefined;
  await eye?.close();
}

async function close(): Promise<void> {
  await Promise.all([stop(), attacker?.stop()]);
  await endRun();
}

const readsOf = ({ reads, questions }: Experience): number[] => [...reads, ...questions];

const HEAD = [
  'attack',
  'requests',
  'statuses',
  'sender p99 before / during, ms',
  'reader p99 before / during, ms',
  'failed',
  'one request: status',
  'block, ms',
  'CPU, ms',
  'memory before / during, MiB',
  'promises',
];

function cellsOf({ name, result, complaints }: Row): string[] {
  const judgement = complaints.length === 0 ? 'kept' : 'broken';
  if (!result) return [name, ...Array<string>(HEAD.length - 2).fill('?'), judgement];
  const { before, during, single, report } = result;
  const pair = (was: number, is: number): string => `${Math.round(was)} / ${Math.round(is)}`;
  const statuses = Object.entries(report.statuses).map(
    ([status, times]) => `${status === '0' ? 'none' : status}: ${times}`,
  );
  return [
    name,
    report.requests.toLocaleString('en'),
    statuses.join(', '),
    pair(p99(before.sends), p99(during.sends)),
    pair(p99(readsOf(before)), p99(readsOf(during))),
    String(failed(during)),
    single.statuses.map((status) => (status === '0' ? 'none' : status)).join(', '),
    String(Math.round(single.blockMs)),
    String(Math.round(single.cpuMs)),
    pair(before.memory, during.memory),
    judgement,
  ];
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void close().finally(() => process.exit(1)));
}

main()
  .then(
    (passed) => (process.exitCode = passed ? 0 : 1),
    (error: Error) => {
      console.error(error.message);
      process.exitCode = 1;
    },
  )
  .finally(close);
