import 'reflect-metadata';
import { parseArgs } from 'node:util';
import { APPLICATION_NAME } from '../applications/application-name.js';
import { ApplicationsRepository } from '../applications/applications.repository.js';
import { ApplicationsService, type KeyOptions } from '../applications/applications.service.js';
import { type Scope, SCOPES } from '../auth/caller.js';
import { type Key, KeysRepository } from '../auth/keys.repository.js';
import { isOrigin } from '../auth/origin.js';
import { environment } from '../platform/config/environment.js';
import { type Command, runCommand } from './run-command.js';

const USAGE = `Trusted applications and their keys:

  npm run applications -- create <name> [--scope ingest|read|admin] [--origin https://shop.example]... [--rate-limit 60000]
  npm run applications -- list
  npm run applications -- revoke <id of a key>

create adds a key to the application, and creates the application if it does not exist. The default scope is ingest.`;

function parse(args: string[]): Command | undefined {
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
  const [action, operand, ...excess] = positionals;
  if (values.help || action === undefined) return undefined;
  if (excess.length > 0) throw new Error(`Unexpected argument: ${excess.join(' ')}`);
  if (action === 'list' && operand === undefined) return list;
  if (action === 'create') {
    return create(parseName(operand), {
      scope: parseScope(values.scope),
      allowed_origins: parseOrigins(values.origin, values.scope),
      rate_limit: parseLimit(values['rate-limit']),
    });
  }
  if (action === 'revoke') return revoke(parseId(operand));
  throw new Error(`There is no command "${positionals.join(' ')}": use create, list or revoke.`);
}

function parseName(name = ''): string {
  if (APPLICATION_NAME.test(name)) return name;
  throw new Error('The name of an application is 1 to 63 of a-z, 0-9 and "-", and does not begin with "-".');
}

function parseScope(scope: string): Scope {
  if (SCOPES.includes(scope as Scope)) return scope as Scope;
  throw new Error(`--scope must be one of ${SCOPES.join(', ')}.`);
}

function parseOrigins(origins: string[], scope: string): string[] {
  if (origins.length > 0 && scope !== 'ingest')
    throw new Error('Only a key of scope ingest may list origins, because their pages make it public.');
  const invalid = origins.find((origin) => !isOrigin(origin));
  if (invalid === undefined) return origins;
  throw new Error(
    `--origin must be an origin as browsers send it, e.g. https://shop.example, not "${invalid}".`,
  );
}

function parseLimit(limit: string | undefined): number | undefined {
  if (limit === undefined) return undefined;
  if (/^[1-9]\d{0,8}$/.test(limit)) return Number(limit);
  throw new Error('--rate-limit must be a number of events a minute, from 1 to 999999999.');
}

function parseId(id = ''): string {
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id)) return id;
  throw new Error('revoke needs the id of a key, as list shows it.');
}

const create =
  (name: string, options: KeyOptions): Command =>
  async (context) => {
    const applications = context.get(ApplicationsService);
    await applications.createIfMissing(name);
    const { scope, id, key } = await applications.createKey(name, options);
    return [
      ...formatTable([
        ['Application', name],
        ['Scope', scope],
        ['Id', id],
        ['Key', key],
      ]),
      '',
      'The key is not shown again. For example:',
      '',
      formatExample(scope, key),
    ].join('\n');
  };

const list: Command = async (context) => {
  const keys = await context.get(ApplicationsService).listKeys();
  if (keys.length === 0) return 'There are no keys. Create one with: npm run applications -- create my-app';
  const rows = keys.map((key) => [key.application, key.scope, key.id, `${key.prefix}…`, formatDetails(key)]);
  return formatTable([['APPLICATION', 'SCOPE', 'ID', 'KEY', ''], ...rows]).join('\n');
};

const revoke =
  (id: string): Command =>
  async (context) => {
    await context.get(ApplicationsService).revokeKey(id);
    return `The key ${id} is revoked. Every process rejects it within two seconds.`;
  };

function formatDetails({ allowed_origins, rate_limit, revoked_at }: Key): string {
  return [
    revoked_at && `revoked ${revoked_at}`,
    ...allowed_origins,
    rate_limit !== null && `${rate_limit} events a minute`,
  ]
    .filter(Boolean)
    .join(', ');
}

/** A curl command that uses the key. */
function formatExample(scope: Scope, key: string): string {
  const { HOST, PORT } = environment;
  const address = `http://${HOST.includes(':') ? `[${HOST}]` : HOST}:${PORT}`;
  if (scope !== 'ingest') return `curl -H 'Authorization: Bearer ${key}' ${address}/events/`;
  return [
    `curl -X POST ${address}/events/ -H 'Authorization: Bearer ${key}' \\`,
    `    -H 'Content-Type: application/json' -d '{"session_id": "a", "category": "click", "name": "cta"}'`,
  ].join('\n');
}

function formatTable(rows: string[][]): string[] {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

await runCommand({
  usage: USAGE,
  providers: [KeysRepository, ApplicationsRepository, ApplicationsService],
  parse,
});
