import { parseArgs } from 'node:util';
import { machineSection } from '../../testing/machine-section.js';
import { table } from '../../testing/table.js';
import { describeMachine } from '../../testing/machine.js';
import { Deployment } from './deployment.js';
import { type Fault, FAULTS } from './faults.js';
import { type Result, Trial } from './trial.js';

/*
 * npm run test:faults [-- [--rounds n] [--only name] [--seed s] [--short]]
 *
 * Injects faults into The Eye and its servers under load, and compares stored with acknowledged events. Prints the
 * Markdown table of docs/reliability.md. Exits with 1 if a guarantee was violated.
 */

interface Row {
  name: string;
  rounds: number;
  result?: Result;
  complaints: string[];
}

/** Divides the number of rounds of slow faults. */
const SLOW_FAULT_DIVISOR = 2;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '10' },
    only: { type: 'string', default: '' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    short: { type: 'boolean', default: false },
  },
});

async function main(): Promise<boolean> {
  const seed = wholeNumber('seed', values.seed);
  const rounds = values.short ? 1 : wholeNumber('rounds', values.rounds);
  const faults = FAULTS.filter(({ name, short }) => name.includes(values.only) && (!values.short || short));
  if (faults.length === 0)
    throw new Error(`No fault matches ${values.only}. Faults:\n${FAULTS.map(({ name }) => name).join('\n')}`);
  console.log(`${machineSection(await describeMachine())} Seed ${seed}.\n`);
  const rows: Row[] = [];
  const skipped: string[] = [];
  for (const fault of faults) {
    const reason = await fault.unavailable?.();
    if (reason !== undefined) {
      skipped.push(`Skipped: ${fault.name}: ${reason}.`);
      console.error(skipped.at(-1));
      continue;
    }
    rows.push(await runAndReport(fault, Math.ceil(fault.slow ? rounds / SLOW_FAULT_DIVISOR : rounds), seed));
  }
  printTable(rows);
  for (const line of skipped) console.log(`\n${line}`);
  const broken = rows.filter(({ complaints }) => complaints.length > 0);
  for (const { name, complaints } of broken) console.log(`\n${name}: ${complaints.join('; ')}.`);
  return broken.length === 0;
}

async function runAndReport(fault: Fault, rounds: number, seed: number): Promise<Row> {
  const startedAt = Date.now();
  console.error(`${fault.name} …`);
  const row = await runFault(fault, rounds, seed);
  const seconds = Math.round((Date.now() - startedAt) / 1000);
  console.error(`  ${rounds} rounds, ${seconds} s: ${row.complaints.join('; ') || 'passed'}`);
  if (row.result?.verification !== undefined) console.error(`  ${row.result.verification}`);
  return row;
}

/** Runs all rounds of a fault with one load on its own deployment. */
async function runFault(fault: Fault, rounds: number, seed: number): Promise<Row> {
  const row: Row = { name: fault.name, rounds: 0, complaints: [] };
  const deployment = await Deployment.start(fault.shape ?? {});
  const trial = new Trial(deployment, seed);
  try {
    for (; row.rounds < rounds; row.rounds++) await trial.round(fault);
    row.result = await trial.end();
    row.complaints = trial.complaints(row.result);
  } catch (error) {
    row.complaints = [`after ${row.rounds} rounds: ${(error as Error).message}`, ...deployment.deaths];
  } finally {
    await trial.stop();
    await deployment.close();
  }
  return row;
}

function printTable(rows: readonly Row[]): void {
  const counts = ['acknowledged', 'stored', 'lost', 'doubled', 'changed'] as const;
  const columns = [...counts, 'refused', 'brokenOff', 'longest'] as const;
  console.log(
    table(
      ['fault', 'rounds', ...counts, '503 responses', 'broken off', 'longest wait, ms'],
      rows.map(({ name, rounds, result }) => [
        name,
        String(rounds),
        ...columns.map((column) => (result ? Math.round(result[column]).toLocaleString('en') : '?')),
      ]),
    ),
  );
}

function wholeNumber(name: string, text: string): number {
  if (!/^\d{1,10}$/.test(text)) throw new Error(`--${name} must be a whole number, not ${text}`);
  return Number(text);
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void Deployment.closeAll().finally(() => process.exit(1)));
}

main().then(
  (passed) => process.exit(passed ? 0 : 1),
  (error: Error) => {
    console.error(error.message);
    process.exit(1);
  },
);
