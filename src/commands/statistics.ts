import 'reflect-metadata';
import { parseArgs } from 'node:util';
import { onDatabase } from './on-database.js';
import { SessionsUpkeep } from '../sessions/sessions.upkeep.js';
import { type Difference, EventCountsUpkeep } from '../statistics/event-counts.upkeep.js';

const USAGE = `Counts of events and sessions that are kept, and the events themselves:

  npm run statistics -- verify
  npm run statistics -- rebuild

verify compares all counts and all sessions with the events, and fails where they differ. rebuild counts all events and
gathers all sessions anew. Events are stored meanwhile, and counted as before.`;

/** Differences that are shown; one fault can be a million. */
const SHOWN = 100;

interface Upkeep {
  counts: EventCountsUpkeep;
  sessions: SessionsUpkeep;
}

const COMMANDS = { verify, rebuild };

async function verify({ counts, sessions }: Upkeep): Promise<string> {
  const differences = [
    ...(await counts.verify(SHOWN + 1)).map(describe),
    ...(await sessions.verify(SHOWN + 1)).map((id) => `Kept otherwise than its events say: session "${id}".`),
  ];
  if (differences.length === 0) return 'All counts and sessions agree with the events.';
  const shown = differences.slice(0, SHOWN);
  if (differences.length > SHOWN) shown.push('… and more.');
  throw new Error([...shown, 'Set them right with: npm run statistics -- rebuild'].join('\n'));
}

async function rebuild({ counts, sessions }: Upkeep): Promise<string> {
  await counts.rebuild();
  await sessions.rebuild();
  return 'All events have been counted anew, and all sessions gathered.';
}

function describe({ block, until, application, category, name, kept, counted }: Difference): string {
  const group = [application, category || '(all categories)', name || '(all names)'].join(' / ');
  return `Counted for its ${block} until ${until} UTC, ${group}: kept ${kept}, but there are ${counted}.`;
}

function read(args: string[]): ((upkeep: Upkeep) => Promise<string>) | undefined {
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
    command &&
    onDatabase([EventCountsUpkeep, SessionsUpkeep], (context) =>
      command({ counts: context.get(EventCountsUpkeep), sessions: context.get(SessionsUpkeep) }),
    );
  console.log(run ? await run : USAGE);
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
