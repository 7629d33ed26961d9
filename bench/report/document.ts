import { format, resolveConfig } from 'prettier';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { acceptSection } from './accept-section.js';
import { aimsSection } from './aims-section.js';
import { askPlot } from './ask-plot.js';
import { askSection } from './ask-section.js';
import { cpuPlot } from './cpu-plot.js';
import { exportSection } from './export-section.js';
import { machineSection } from './machine-section.js';
import { memoryPlot } from './memory-plot.js';
import { memorySection } from './memory-section.js';
import { pageSection } from './page-section.js';
import { type Plot, render } from './plot.js';
import { DOCS, FOLDER, type Results } from './results.js';
import { requestsPlot } from './requests-plot.js';
import { singlesPlot } from './singles-plot.js';
import { storeSection } from './store-section.js';

const FILE = join(DOCS, 'benchmarks.md');

const INTRODUCTION = `# Benchmarks

The Eye beside what it cannot be faster than, measured in one run on one machine. \`npm run bench\` makes this page anew; figures of two
runs are not to be compared, since each machine has its own, and its better hours.`;

const HOW_TO_READ = `**The limits.** *Bare Fastify* takes a request, parses its JSON and answers: what Node and HTTP cost. *Nest with The Eye's validation* also reads,
checks and identifies the events with The Eye's own code, and keeps nothing: what remains to The Eye is the queue, the fsync, and PostgreSQL.
\`COPY\` is how fast PostgreSQL takes the same rows into the same table.

**How it is measured.** The Eye is started as \`npm start\` starts it, with a PostgreSQL and a Redis of its own that fsync what they confirm, new for each
measurement; the limits are compiled in the same way and have the same flags of Node. The load generator ([autocannon](https://github.com/mcollina/autocannon))
shares the cores with what it measures, and so do Redis and PostgreSQL: on two cores a limit that uses one of them leaves the load generator
the other, while The Eye, its PostgreSQL and its Redis share both with it. So look at the CPU time of an event, too. Each contender has two
seconds to warm up. Rounds are interleaved: each runs every contender once. PostgreSQL's plans of the questions, at the largest
table, stand in [plans.txt](benchmarks/plans.txt), and all figures in [results.json](benchmarks/results.json).`;

/** What was measured, as Markdown for a terminal. */
export function tables(results: Results): Promise<string> {
  return formatted([machineSection(results.machine), ...sections(results, () => '')]);
}

/** Writes the page, its plots, and PostgreSQL's plans. */
export async function publish(results: Results): Promise<void> {
  await mkdir(FOLDER, { recursive: true });
  for (const plot of plots(results)) await writeFile(join(FOLDER, `${plot.name}.svg`), `${render(plot)}\n`);
  await writeFile(join(FOLDER, 'plans.txt'), `${results.ask?.plans ?? ''}\n`);
  const page = [INTRODUCTION, machineSection(results.machine), HOW_TO_READ, ...sections(results, image)];
  await writeFile(FILE, await formatted(page));
}

/** @param plot the image of a plot, by its name */
function sections(results: Results, plot: (name: string) => string): string[] {
  const { accept, store, ask, memory, page } = results;
  return [
    aimsSection(results),
    accept && acceptSection(accept, plot),
    store && storeSection(store),
    ask && askSection(ask, plot),
    results.export && exportSection(results.export),
    page && pageSection(page),
    memory && memorySection(memory, plot),
  ].filter((section) => section !== undefined);
}

const image = (name: string): string => `![The table below, as a plot](benchmarks/${name}.svg)`;

function plots({ accept, store, ask, memory }: Results): Plot[] {
  return [
    ...(accept ? [singlesPlot(accept), requestsPlot(accept, store), cpuPlot(accept)] : []),
    ...(ask ? [askPlot(ask)] : []),
    ...(memory ? [memoryPlot(memory)] : []),
  ];
}

async function formatted(sections: string[]): Promise<string> {
  return format(sections.join('\n\n'), { ...(await resolveConfig(FILE)), parser: 'markdown' });
}
