import { parseRequest, USAGE } from './applications-arguments.js';
import { runCommand } from './run-command.js';

await runCommand({
  usage: USAGE,
  parse: parseRequest,
  precedesStart: ({ action }) => action === 'create',
  load: () => import('./applications-actions.js'),
});
