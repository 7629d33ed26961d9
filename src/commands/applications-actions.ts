import { resolve } from 'node:path';
import { ApplicationsRepository, type LimitChanges } from '../applications/applications.repository.js';
import { ApplicationsService, type KeyOptions } from '../applications/applications.service.js';
import { CLI } from '../auth/audit.js';
import type { Scope } from '../auth/caller.js';
import { type Key, KeysRepository } from '../auth/keys.repository.js';
import { environment } from '../platform/config/environment.js';
import { readApiAddress } from '../platform/embedded/api-address.js';
import type { Request } from './applications-arguments.js';
import type { Command } from './command-context.js';

export const providers = [KeysRepository, ApplicationsRepository, ApplicationsService];

export function commandOf(request: Request): Command {
  switch (request.action) {
    case 'create':
      return create(request.name, request.options);
    case 'limit':
      return limit(request.name, request.changes);
    case 'list':
      return list;
    case 'revoke':
      return revoke(request.id);
  }
}

/** Creates a key, and the application if it does not exist. */
const create =
  (name: string, options: KeyOptions): Command =>
  async (context) => {
    const applications = context.get(ApplicationsService);
    await applications.createIfMissing(name, CLI);
    const { scope, id, key, all_applications, expires_at } = await applications.createKey(name, options, CLI);
    return [
      ...formatTable([
        ['Application', name],
        ['Scope', all_applications ? `${scope} of all applications` : scope],
        ...(expires_at === null ? [] : [['Expires', expires_at]]),
        ['Id', id],
        ['Key', key],
      ]),
      '',
      'The key is not shown again. For example:',
      '',
      formatExample(scope, key),
    ].join('\n');
  };

const limit =
  (name: string, changes: LimitChanges): Command =>
  async (context) => {
    const { types_limit, past_limit } = await context.get(ApplicationsService).update(name, changes, CLI);
    const setting = (variable: string): string => `the setting ${variable}`;
    return formatTable([
      ['Application', name],
      ['Event types', String(types_limit ?? setting('TYPES_LIMIT'))],
      ['Days in the past', String(past_limit ?? setting('PAST_LIMIT'))],
    ]).join('\n');
  };

const list: Command = async (context) => {
  const keys = await context.get(ApplicationsService).listKeys();
  if (keys.length === 0) return 'There are no keys. Create one with: npm run applications -- create my-app';
  const rows = keys.map((key) => [
    key.application,
    key.scope,
    key.id,
    `${key.prefix}…`,
    key.last_used_at?.slice(0, 'yyyy-mm-ddThh:mm'.length).concat('Z') ?? 'never',
    formatDetails(key),
  ]);
  return formatTable([['APPLICATION', 'SCOPE', 'ID', 'KEY', 'LAST USED', ''], ...rows]).join('\n');
};

const revoke =
  (id: string): Command =>
  async (context) => {
    await context.get(ApplicationsService).revokeKey(id, CLI);
    return `The key ${id} is revoked. Every process rejects it within two seconds.`;
  };

function formatDetails({
  all_applications,
  allowed_origins,
  rate_limit,
  expires_at,
  revoked_at,
}: Key): string {
  return [
    revoked_at && `revoked ${revoked_at}`,
    expires_at && `expires ${expires_at}`,
    all_applications && 'all applications',
    ...allowed_origins,
    rate_limit !== null && `${rate_limit} events a minute`,
  ]
    .filter(Boolean)
    .join(', ');
}

/** A curl command that uses the key. */
function formatExample(scope: Scope, key: string): string {
  const { HOST, PORT, DATA_DIR } = environment;
  const configured = `http://${HOST.includes(':') ? `[${HOST}]` : HOST}:${PORT}`;
  const address = readApiAddress(resolve(DATA_DIR)) ?? configured;
  if (scope !== 'ingest')
    return `curl -H 'Authorization: Bearer ${key}' ${address}${scope === 'metrics' ? '/metrics' : '/events/'}`;
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
