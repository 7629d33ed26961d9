import 'reflect-metadata';
import { type Difference, EventCountsUpkeep } from '../statistics/event-counts.upkeep.js';
import { type Command, parseAction, runCommand } from './run-command.js';

const USAGE = `Stored counts, compared with the events:

  npm run statistics -- verify
  npm run statistics -- rebuild

verify compares all counts with the events, and fails if they differ. rebuild computes them again from
the events. Events can be stored meanwhile.`;

/** One fault can cause a million differences. */
const MAX_SHOWN_DIFFERENCES = 100;

const verify: Command = async (context) => {
  const limit = MAX_SHOWN_DIFFERENCES + 1;
  const counts = await context.get(EventCountsUpkeep).verify(limit);
  const differences = counts.map(describe);
  if (differences.length === 0) return 'All counts agree with the events.';
  const shown = differences.slice(0, MAX_SHOWN_DIFFERENCES);
  if (differences.length > MAX_SHOWN_DIFFERENCES) shown.push('… and more.');
  throw new Error([...shown, 'Correct them with: npm run statistics -- rebuild'].join('\n'));
};

const rebuild: Command = async (context) => {
  await context.get(EventCountsUpkeep).rebuild();
  return 'All counts have been computed again.';
};

function describe({ block, until, application, category, name, kept, counted }: Difference): string {
  const group = [application, category || '(all categories)', name || '(all names)'].join(' / ');
  return `Count of period "${block}" until ${until} UTC, ${group}: stored ${kept}, expected ${counted}.`;
}

await runCommand({
  usage: USAGE,
  providers: [EventCountsUpkeep],
  parse: (args) => parseAction(args, { verify, rebuild }),
});
