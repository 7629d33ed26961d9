import 'reflect-metadata';
import { parseArgs } from 'node:util';
import { onDatabase } from '../database/command-line.js';
import { type Difference, EventCountsUpkeep } from './event-counts.upkeep.js';

const USAGE = `Counts of events that are kept, and the events themselves:

  npm run statistics -- verify
  npm run statistics -- rebuild

verify compares all counts with the events, and fails where they differ. rebuild counts all events anew. Events are stored
meanwhile, and counted as before.`;

/** Differences that are shown; one fault can be a million. */
const SHOWN = 100;

const COMMANDS = { verify, rebuild };

async function verify(upkeep: EventCountsUpkeep): Promise<string> {
  const differences = await upkeep.verify(SHOWN + 1);
  if (differences.length === 0) return 'All counts agree with the events.';
  const shown = differences.slice(0, SHOWN).map(describe);
  if (differences.length > SHOWN) shown.push('… and more.');
  throw new Error([...shown, 'Set them right with: npm run statistics -- rebuild'].join('\n'));
}

async function rebuild(upkeep: EventCountsUpkeep): Promise<string> {
  await upkeep.rebuild();
  return 'All events have been counted anew.';
}

function describe({ block, until, application, category, name, kept, counted }: Difference): string {
  const group = [application, category || '(all categories)', name || '(all names)'].join(' / ');
  return `Counted for its ${block} until ${until} UTC, ${group}: kept ${kept}, but there are ${counted}.`;
}

function read(args: string[]): ((upkeep: EventCountsUpkeep) => Promise<string>) | undefined {
  const { positionals, values } = parseArgs({
    args,
    allowPositionals: true,
    options: { help: { type: 'boolean', short: 'h' } },
  });
  const [action, ...more] = positionals;
  if (values.help || action === undefined) return undefined;
  if (more.length > 0) throw new Error(`What is "${more.join(' ')}"?`);
  if (Object.hasOwn(COMMANDS, action)) return COMMANDS[action as keyof typeof COMMANDS];
  throw new Error(`There is no command "${action}": use verify or rebuild.`);
}

try {
  const command = read(process.argv.slice(2));
  const run =
    command && onDatabase([EventCountsUpkeep], (context) => command(context.get(EventCountsUpkeep)));
  console.log(run ? await run : USAGE);
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
