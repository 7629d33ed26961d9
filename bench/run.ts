import { measureAccept } from './accept/accept.js';
import { measureAsk } from './ask/ask.js';
import { measureExport } from './export/export.js';
import { measureLists } from './lists/lists.js';
import { measureMemory } from './memory/memory.js';
import { measurePage } from './page/page.js';
import { writePage, renderTables } from './report/document.js';
import { PARTS, type Part, saveResults, loadResults, type Results } from './report/results.js';
import { measureCatchUp } from './store/catch-up.js';
import { measureStore } from './store/store.js';
import { describeMachine } from '../testing/machine.js';
import { endAll } from '../testing/on-the-eye.js';

/*
 * npm run bench                                             everything, into docs/benchmarks.md
 * npm run bench -- [quick] [accept] [store] [memory] [page] [lists] [ask] [export]
 *                                                           a part, or less of everything, as tables on the terminal
 * npm run bench -- lists plans                              with PostgreSQL's plans
 * npm run bench -- ask large                                also with 100 million events
 * npm run bench -- ask publish                              a part, in the place of its earlier results in docs/benchmarks.md
 * npm run bench -- copy [quick]                             how fast events that wait are copied to ClickHouse
 * npm run bench -- render                                   docs/benchmarks.md again, from the stored results
 */

/** Measured if no part is named: what fits into the five minutes of `quick`. */
const DEFAULT_PARTS: readonly Part[] = ['accept', 'store', 'memory', 'ask'];

interface MeasureOptions {
  quick: boolean;
  /** Also records PostgreSQL's plans. */
  plans: boolean;
  /** Also asks 100 million events. */
  large: boolean;
}

const WORDS = new Set<string>([...PARTS, 'copy', 'quick', 'plans', 'large', 'publish', 'render']);

const words = process.argv.slice(2);
const unknown = words.filter((word) => !WORDS.has(word));
if (unknown.length > 0) {
  console.error(`Unknown words: ${unknown.join(', ')}. Valid words: ${[...WORDS].join(', ')}.`);
  process.exit(1);
}

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void endAll().finally(() => process.exit(1)));

const chosen = PARTS.filter((part) => words.includes(part));
const [quick, plans, large] = ['quick', 'plans', 'large'].map((word) => words.includes(word)) as [
  boolean,
  boolean,
  boolean,
];

if (words.includes('copy')) console.log(await measureCatchUp(quick));
else if (words.includes('render')) await writePage(await loadResults());
else if (words.length === 0)
  await measureAndPublish(PARTS, undefined, { quick: false, plans: true, large: false });
else if (words.includes('publish'))
  await measureAndPublish(chosen, await loadResults(), { quick, plans: true, large });
else await measureAndPrint();

/** @param before results of other parts, which stay */
async function measureAndPublish(
  parts: readonly Part[],
  before: Results | undefined,
  options: MeasureOptions,
): Promise<void> {
  let results = before;
  for (const part of parts) {
    const measured = await measure([part], options);
    results = { ...results, ...measured, machines: { ...results?.machines, ...measured.machines } };
    // Saves after each part, so that a late failure does not lose an hour of results: `render` uses what is stored.
    await saveResults(results);
  }
  if (results) await writePage(results);
}

async function measureAndPrint(): Promise<void> {
  const results = await measure(chosen.length > 0 ? chosen : DEFAULT_PARTS, { quick, plans, large });
  console.log(await renderTables(results));
  if (results.lists?.plans !== undefined) console.log(results.lists.plans);
}

async function measure(parts: readonly Part[], { quick, plans, large }: MeasureOptions): Promise<Results> {
  const machine = await describeMachine();
  const results: Results = { machine, machines: Object.fromEntries(parts.map((part) => [part, machine])) };
  if (parts.includes('accept')) results.accept = await measureAccept(quick);
  if (parts.includes('store')) results.store = await measureStore(quick);
  if (parts.includes('memory')) results.memory = await measureMemory(quick);
  if (parts.includes('page')) results.page = await measurePage(quick);
  if (parts.includes('lists')) results.lists = await measureLists(quick, plans);
  if (parts.includes('ask')) results.ask = await measureAsk(quick, large);
  if (parts.includes('export')) results.export = await measureExport(quick);
  return results;
}
