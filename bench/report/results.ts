import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AcceptResults } from '../accept/accept.js';
import type { AskResults } from '../ask/ask.js';
import type { ExportResults } from '../export/export.js';
import type { ListResults } from '../lists/lists.js';
import type { MemoryResults } from '../memory/memory.js';
import type { PageResult } from '../page/page.js';
import type { StoreResults } from '../store/store.js';
import type { Machine } from '../../testing/machine.js';

export const PARTS = ['accept', 'store', 'memory', 'page', 'lists', 'ask', 'export'] as const;
export type Part = (typeof PARTS)[number];

/** The results; a part that was not measured is absent. */
export interface Results {
  /** As of the last measurement. */
  machine: Machine;
  /** As of each part. */
  machines: Partial<Record<Part, Machine>>;
  accept?: AcceptResults;
  store?: StoreResults;
  lists?: ListResults;
  ask?: AskResults;
  memory?: MemoryResults;
  page?: PageResult[];
  export?: ExportResults;
}

/** Whether two parts were measured at one commit on one day. */
export const isSameRun = (one?: Machine, other?: Machine): boolean =>
  one?.commit === other?.commit && one?.date === other?.date;

export const DOCS_FOLDER = join(import.meta.dirname, '../../docs');
export const RESULTS_FOLDER = join(DOCS_FOLDER, 'benchmarks');
const RESULTS_FILE = join(RESULTS_FOLDER, 'results.json');

export async function saveResults(results: Results): Promise<void> {
  await mkdir(RESULTS_FOLDER, { recursive: true });
  await writeFile(RESULTS_FILE, `${JSON.stringify(results, roundNumber)}\n`);
}

/** @throws Error if no results are stored */
export async function loadResults(): Promise<Results> {
  if (!existsSync(RESULTS_FILE)) throw new Error(`There is no ${RESULTS_FILE} yet; npm run bench writes it.`);
  return JSON.parse(await readFile(RESULTS_FILE, 'utf8')) as Results;
}

/** Rounds to five digits, which is more than the accuracy of a measurement. */
function roundNumber(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(5)) : value;
}
