import { measureAccept } from './accept/accept.js';
import { measureAsk } from './ask/ask.js';
import { measureExport } from './export/export.js';
import { measureMemory } from './memory/memory.js';
import { measurePage } from './page/page.js';
import { writePage, renderTables } from './report/document.js';
import { saveResults, loadResults, type Results } from './report/results.js';
import { measureCatchUp } from './store/catch-up.js';
import { measureStore } from './store/store.js';
import { describeMachine } from '../testing/machine.js';
import { endAll } from '../testing/on-the-eye.js';

/*
 * npm run bench                                             everything, into docs/benchmarks.md
 * npm run bench -- [quick] [accept] [store] [memory] [page] [ask] [export]
 *                                                           a part, or less of everything, as tables on the terminal
 * npm run bench -- ask plans                                with PostgreSQL's plans
 * npm run bench -- copy [quick]                             how fast events that wait are copied to ClickHouse
 * npm run bench -- render                                   docs/benchmarks.md again, from the stored results
 */

const PARTS = ['accept', 'store', 'memory', 'page', 'ask', 'export'] as const;
type Part = (typeof PARTS)[number];

/** Measured if no part is named: what fits into the five minutes of `quick`. */
const DEFAULT_PARTS: readonly Part[] = ['accept', 'store', 'memory', 'ask'];

interface MeasureOptions {
  quick: boolean;
  /** Also records PostgreSQL's plans. */
  plans: boolean;
}

const WORDS = new Set<string>([...PARTS, 'copy', 'quick', 'plans', 'render']);

const words = process.argv.slice(2);
const unknown = words.filter((word) => !WORDS.has(word));
if (unknown.length > 0) {
  console.error(`Unknown words: ${unknown.join(', ')}. Valid words: ${[...WORDS].join(', ')}.`);
  process.exit(1);
}

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void endAll().finally(() => process.exit(1)));

if (words.includes('copy')) console.log(await measureCatchUp(words.includes('quick')));
else if (words.includes('render')) await writePage(await loadResults());
else if (words.length === 0) await measureAndPublish();
else await measureAndPrint();

async function measureAndPublish(): Promise<void> {
  let results: Results | undefined;
  for (const part of PARTS) {
    results = { ...(await measure([part], { quick: false, plans: true })), ...results };
    // Saves after each part, so that a late failure does not lose an hour of results: `render` uses what is stored.
    await saveResults(results);
  }
  if (results) await writePage(results);
}

async function measureAndPrint(): Promise<void> {
  const chosen = PARTS.filter((part) => words.includes(part));
  const [quick, plans] = [words.includes('quick'), words.includes('plans')];
  const results = await measure(chosen.length > 0 ? chosen : DEFAULT_PARTS, { quick, plans });
  console.log(await renderTables(results));
  if (results.ask?.plans !== undefined) console.log(results.ask.plans);
}

async function measure(parts: readonly Part[], { quick, plans }: MeasureOptions): Promise<Results> {
  const results: Results = { machine: await describeMachine() };
  if (parts.includes('accept')) results.accept = await measureAccept(quick);
  if (parts.includes('store')) results.store = await measureStore(quick);
  if (parts.includes('memory')) results.memory = await measureMemory(quick);
  if (parts.includes('page')) results.page = await measurePage(quick);
  if (parts.includes('ask')) results.ask = await measureAsk(quick, plans);
  if (parts.includes('export')) results.export = await measureExport(quick);
  return results;
}
