import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AcceptResults } from '../accept/accept.js';
import type { AskResults } from '../ask/ask.js';
import type { ExportResults } from '../export/export.js';
import type { MemoryResults } from '../memory/memory.js';
import type { Watched } from '../page/page.js';
import type { StoreResults } from '../store/store.js';
import type { Machine } from '../../testing/machine.js';

/** The results; a part that was not measured is absent. */
export interface Results {
  machine: Machine;
  accept?: AcceptResults;
  store?: StoreResults;
  ask?: AskResults;
  memory?: MemoryResults;
  page?: Watched[];
  export?: ExportResults;
}

export const DOCS = join(import.meta.dirname, '../../docs');
export const FOLDER = join(DOCS, 'benchmarks');
const FILE = join(FOLDER, 'results.json');

export async function keep(results: Results): Promise<void> {
  await mkdir(FOLDER, { recursive: true });
  await writeFile(FILE, `${JSON.stringify(results, rounded)}\n`);
}

/** @throws Error if no results are stored */
export async function kept(): Promise<Results> {
  if (!existsSync(FILE)) throw new Error(`There is no ${FILE} yet; npm run bench writes it.`);
  return JSON.parse(await readFile(FILE, 'utf8')) as Results;
}

/** Rounds to five digits, which is more than the accuracy of a measurement. */
function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(5)) : value;
}
