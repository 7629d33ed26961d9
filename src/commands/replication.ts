import { parseAction, runCommand } from './run-command.js';

const USAGE = `The copy of the events in ClickHouse:

  npm run replication -- verify
  npm run replication -- rebuild

verify compares the events in PostgreSQL with their copy, by application and day, and fails if they differ. rebuild makes
another copy, which takes the place of the present one when it is complete; if it is interrupted, the workers continue.
Events can be stored meanwhile.`;

await runCommand({
  usage: USAGE,
  parse: (args) => parseAction(args, ['verify', 'rebuild'] as const),
  load: () => import('./replication-actions.js'),
});
