import 'reflect-metadata';
import { parseArgs } from 'node:util';
import { environment } from '../platform/config/environment.js';
import { onDatabase } from './on-database.js';
import { type Scope, SCOPES } from '../auth/caller.js';
import type { Key } from '../applications/applications.repository.js';
import { ApplicationsRepository } from '../applications/applications.repository.js';
import { ApplicationsService, isOrigin, NAME } from '../applications/applications.service.js';

const USAGE = `Trusted applications and their keys:

  npm run applications -- create <name> [--scope ingest|read|admin] [--origin https://shop.example]... [--rate-limit 60000]
  npm run applications -- list
  npm run applications -- revoke <id of a key>

create makes the application where there is none of this name, and a key for it (of scope ingest unless told otherwise).`;

/** What the user must do otherwise, in a line. */
class CommandError extends Error {}

type Command = (applications: ApplicationsService) => Promise<string>;

/** @throws CommandError, and TypeError from parseArgs */
function read(args: string[]): Command | undefined {
  const { positionals, values } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      scope: { type: 'string', default: 'ingest' },
      origin: { type: 'string', multiple: true, default: [] },
      'rate-limit': { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  const [action, what, ...more] = positionals;
  if (values.help || action === undefined) return undefined;
  if (more.length > 0) throw new CommandError(`What is "${more.join(' ')}"?`);
  if (action === 'list' && what === undefined) return list;
  if (action === 'create') {
    const limit = values['rate-limit'];
    return create(
      readName(what),
      readScope(values.scope),
      readOrigins(values.origin, values.scope),
      readLimit(limit),
    );
  }
  if (action === 'revoke') return revoke(readId(what));
  throw new CommandError(`There is no command "${positionals.join(' ')}": use create, list or revoke.`);
}

function readName(name = ''): string {
  if (NAME.test(name)) return name;
  throw new CommandError(
    'The name of an application is 1 to 63 of a-z, 0-9 and "-", and does not begin with "-".',
  );
}

function readScope(scope: string): Scope {
  if (SCOPES.includes(scope as Scope)) return scope as Scope;
  throw new CommandError(`--scope must be one of ${SCOPES.join(', ')}.`);
}

function readOrigins(origins: string[], scope: string): string[] {
  if (origins.length > 0 && scope !== 'ingest')
    throw new CommandError('Only a key of scope ingest may name origins: it is public in their pages.');
  const wrong = origins.find((origin) => !isOrigin(origin));
  if (wrong === undefined) return origins;
  throw new CommandError(`--origin must be as browsers send it, e.g. https://shop.example, not "${wrong}".`);
}

function readLimit(limit: string | undefined): number | undefined {
  if (limit === undefined || /^[1-9]\d{0,8}$/.test(limit))
    return limit === undefined ? undefined : Number(limit);
  throw new CommandError('--rate-limit must be a number of events a minute, from 1 to 999999999.');
}

function readId(id = ''): string {
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id)) return id;
  throw new CommandError('revoke wants the id of a key, as list shows it.');
}

const create =
  (name: string, scope: Scope, allowed_origins: string[], rate_limit: number | undefined): Command =>
  async (applications) => {
    await applications.create(name);
    const key = await applications.createKey(name, { scope, allowed_origins, rate_limit });
    if (!key) throw new CommandError(`The application ${name} is gone.`);
    return [
      ...table([
        ['Application', name],
        ['Scope', scope],
        ['Id', key.id],
        ['Key', key.key],
      ]),
      '',
      'The key is shown this once. For example:',
      '',
      example(scope, key.key),
    ].join('\n');
  };

const list: Command = async (applications) => {
  const keys = await applications.keys();
  if (keys.length === 0) return 'There is no key yet: npm run applications -- create my-app';
  const rows = keys.map((key) => [key.application, key.scope, key.id, `${key.prefix}…`, describe(key)]);
  return table([['APPLICATION', 'SCOPE', 'ID', 'KEY', ''], ...rows]).join('\n');
};

const revoke =
  (id: string): Command =>
  async (applications) => {
    if (!(await applications.revoke(id))) throw new CommandError(`There is no key with the id ${id}.`);
    return `The key ${id} is revoked; within a few seconds no process takes it any more.`;
  };

function describe({ allowed_origins, rate_limit, revoked_at }: Key): string {
  return [
    revoked_at && `revoked ${revoked_at}`,
    ...allowed_origins,
    rate_limit !== null && `${rate_limit} events a minute`,
  ]
    .filter(Boolean)
    .join(', ');
}

function example(scope: Scope, key: string): string {
  const address = `http://${environment.HOST.includes(':') ? `[${environment.HOST}]` : environment.HOST}:${environment.PORT}`;
  if (scope !== 'ingest') return `curl -H 'Authorization: Bearer ${key}' ${address}/events/`;
  return [
    `curl -X POST ${address}/events/ -H 'Authorization: Bearer ${key}' \\`,
    `    -H 'Content-Type: application/json' -d '{"session_id": "a", "category": "click", "name": "cta"}'`,
  ].join('\n');
}

function table(rows: string[][]): string[] {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

try {
  const command = read(process.argv.slice(2));
  const run =
    command &&
    onDatabase([ApplicationsRepository, ApplicationsService], (context) =>
      command(context.get(ApplicationsService)),
    );
  console.log(run ? await run : USAGE);
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
