import { format, resolveConfig } from 'prettier';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { acceptSection } from './accept-section.js';
import { goalsSection } from './goals-section.js';
import { askPlot } from './ask-plot.js';
import { askSection } from './ask-section.js';
import { cpuPlot } from './cpu-plot.js';
import { exportSection } from './export-section.js';
import { listsPlot } from './lists-plot.js';
import { listsSection } from './lists-section.js';
import { machineSection } from '../../testing/machine-section.js';
import { memoryPlot } from './memory-plot.js';
import { memorySection } from './memory-section.js';
import { pageSection } from './page-section.js';
import { type Plot, render } from './plot.js';
import { DOCS_FOLDER, isSameRun, type Part, RESULTS_FOLDER, type Results } from './results.js';
import { requestsPlot } from './requests-plot.js';
import { singlesPlot } from './singles-plot.js';
import { storeSection } from './store-section.js';

const PAGE_FILE = join(DOCS_FOLDER, 'benchmarks.md');

const INTRODUCTION = `# Benchmarks

This page compares The Eye with the limits of the machine, measured in one run for each section. \`npm run bench\` writes this page. Do not
compare the numbers of two runs: machines differ, and one machine varies over time. [Development](development.md#benchmarks) describes the
options.`;

const HOW_TO_READ = `**The limits.** *Bare Fastify* receives a request, parses its JSON and responds: the cost of Node and HTTP. *Nest with The Eye's
validation* also reads, checks and identifies the events with the code of The Eye, and stores nothing. The rest of the cost of
The Eye is the queue, the fsync, and PostgreSQL. \`COPY\` is the speed at which PostgreSQL takes the same rows into the same table.

**The comparison.** *Fastify and \`pg\`* is what one writes in an afternoon: a handler that inserts the events of a request with one
statement, through ten connections, into a table with the same unique index and no others, and responds when they are stored. It
checks nothing, and has neither event types nor a copy in ClickHouse. *One fsynced append* is a handler that appends its request to a stream of Redis.
Both have the PostgreSQL or the Redis of The Eye, with its settings.

**The method.** The Eye is started like \`npm start\`, with its own PostgreSQL, Redis and ClickHouse, which are new
for each measurement. PostgreSQL and Redis fsync what they confirm. The limits are compiled in the same way and run with the same flags of Node. The load generator
([autocannon](https://github.com/mcollina/autocannon); requests at a fixed rate come from a client of the benchmark), Redis, PostgreSQL and ClickHouse share the cores with what is measured. On two cores, a
limit that uses one core leaves the other to the load generator, while The Eye and its servers share both with it. So
look at the CPU time per event too. Each contender warms up for two seconds. Rounds are interleaved: each round runs every
contender once, and a ratio is the median of the ratios of the rounds, except those to \`COPY\`, which are ratios of medians. All numbers are in
[results.json](benchmarks/results.json). [Where the time goes](benchmarks/profile.md) summarises the profiles.`;

/** The results as Markdown for a terminal. */
export function renderTables(results: Results): Promise<string> {
  return formatMarkdown([machineSection(results.machine), ...sections(results, () => '')]);
}

/** Writes the page, its plots, and the query plans. */
export async function writePage(results: Results): Promise<void> {
  await mkdir(RESULTS_FOLDER, { recursive: true });
  for (const plot of plots(results))
    await writeFile(join(RESULTS_FOLDER, `${plot.name}.svg`), `${render(plot)}\n`);
  if (results.lists?.plans !== undefined)
    await writeFile(join(RESULTS_FOLDER, 'plans.txt'), `${results.lists.plans}\n`);
  const page = [INTRODUCTION, machineSection(results.machine), HOW_TO_READ, ...sections(results, image)];
  await writeFile(PAGE_FILE, await formatMarkdown(page));
}

/** @param plot the image of a plot, by its name */
function sections(results: Results, plot: (name: string) => string): string[] {
  const { accept, store, lists, ask, memory, page } = results;
  const own = (part: Part, section: string): string => withMachine(section, results, part);
  return [
    goalsSection(results),
    accept && own('accept', acceptSection(accept, plot)),
    store && own('store', storeSection(store)),
    lists && own('lists', listsSection(lists, plot)),
    ask && own('ask', askSection(ask, plot)),
    results.export && own('export', exportSection(results.export)),
    page && own('page', pageSection(page)),
    memory && own('memory', memorySection(memory, plot)),
  ].filter((section) => section !== undefined);
}

/** Says below the heading of a section when it was measured, if that was another time than the page says. */
function withMachine(section: string, { machine, machines }: Results, part: Part): string {
  const own = machines[part];
  if (!own || isSameRun(own, machine)) return section;
  return section.replace('\n\n', `\n\n${machineSection(own)}\n\n`);
}

const image = (name: string): string => `![Plot of the table below](benchmarks/${name}.svg)`;

function plots({ accept, store, lists, ask, memory }: Results): Plot[] {
  return [
    ...(accept ? [singlesPlot(accept), requestsPlot(accept, store), cpuPlot(accept)] : []),
    ...(lists ? [listsPlot(lists)] : []),
    ...(ask ? ask.sizes.map(askPlot) : []),
    ...(memory ? [memoryPlot(memory)] : []),
  ];
}

async function formatMarkdown(sections: string[]): Promise<string> {
  return format(sections.join('\n\n'), { ...(await resolveConfig(PAGE_FILE)), parser: 'markdown' });
}
