import 'reflect-metadata';
import { parseArgs } from 'node:util';
import type { Command, CommandNeeds } from './command-context.js';

/** The code of a command, which is loaded only once the arguments are valid: that takes a second. */
export interface CommandCode<Request> extends Omit<CommandNeeds, 'precedesStart'> {
  readonly commandOf: (request: Request) => Command;
}

export interface CommandLine<Request> {
  readonly usage: string;
  /**
   * @returns undefined to print the usage
   * @throws Error if the arguments are invalid
   */
  readonly parse: (args: string[]) => Request | undefined;
  /** See CommandNeeds. */
  readonly precedesStart?: (request: Request) => boolean;
  readonly load: () => Promise<CommandCode<Request>>;
}

/** Runs the command of the process's arguments. It prints the output, or the error with exit code 1. */
export async function runCommand<Request>(commandLine: CommandLine<Request>): Promise<void> {
  try {
    const request = commandLine.parse(process.argv.slice(2));
    console.log(request === undefined ? commandLine.usage : await run(request, commandLine));
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 1;
  }
}

async function run<Request>(
  request: Request,
  { load, precedesStart }: CommandLine<Request>,
): Promise<string> {
  const [{ runWithDatabase }, { commandOf, ...needs }] = await Promise.all([
    import('./command-context.js'),
    load(),
  ]);
  return runWithDatabase(commandOf(request), { ...needs, precedesStart: precedesStart?.(request) });
}

/**
 * The action that the arguments name.
 * @returns undefined if they ask for help
 * @throws Error that says what is wrong with them
 */
export function parseAction<Action extends string>(
  args: string[],
  actions: readonly Action[],
): Action | undefined {
  const { positionals, values } = parseArgs({
    args,
    allowPositionals: true,
    options: { help: { type: 'boolean', short: 'h' } },
  });
  const [action, ...excess] = positionals;
  if (values.help || action === undefined) return undefined;
  if (excess.length > 0) throw new Error(`Unexpected argument: ${excess.join(' ')}`);
  if (actions.includes(action as Action)) return action as Action;
  throw new Error(`There is no command "${action}": use ${actions.join(' or ')}.`);
}
