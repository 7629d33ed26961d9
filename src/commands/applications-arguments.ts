import { parseArgs } from 'node:util';
import type { LimitChanges } from '../applications/applications.repository.js';
import type { KeyOptions } from '../applications/applications.service.js';
import { APPLICATION_NAME } from '../auth/application-name.js';
import { type Scope, SCOPES } from '../auth/caller.js';
import { isOriginPattern } from '../auth/origin.js';
import { MAX_PAST_LIMIT, MAX_TYPES_LIMIT } from '../platform/config/environment.js';
import { parseBound, type Timestamp, TimestampError } from '../platform/time/timestamp.js';

export const USAGE = `Trusted applications and their keys:

  npm run applications -- create <name> [--scope ingest|read|admin|metrics] [--all-applications]
      [--origin https://shop.example]... [--rate-limit 60000] [--expires 2035-12-31]
  npm run applications -- limit <name> [--types-limit 20000] [--past-limit 7300]
  npm run applications -- list
  npm run applications -- revoke <id of a key>

create adds a key to the application, and creates the application if it does not exist. The default scope is ingest.
A key reads and administers its own application only, unless it is created with --all-applications; a key of scope metrics
always is for all of them. With --expires, a key is valid until that date-time, or until the end of that date in UTC.
limit changes how many event types the application may use, and how many days its timestamps may lie in the past; the value
default returns to the setting.`;

/** What the arguments ask for. */
export type Request =
  | { readonly action: 'create'; readonly name: string; readonly options: KeyOptions }
  | { readonly action: 'limit'; readonly name: string; readonly changes: LimitChanges }
  | { readonly action: 'list' }
  | { readonly action: 'revoke'; readonly id: string };

/**
 * @returns undefined if they ask for help
 * @throws Error that says what is wrong with them
 */
export function parseRequest(args: string[]): Request | undefined {
  const { positionals, values } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      scope: { type: 'string', default: 'ingest' },
      origin: { type: 'string', multiple: true, default: [] },
      'rate-limit': { type: 'string' },
      'types-limit': { type: 'string' },
      'past-limit': { type: 'string' },
      'all-applications': { type: 'boolean' },
      expires: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  const [action, operand, ...excess] = positionals;
  if (values.help || action === undefined) return undefined;
  if (excess.length > 0) throw new Error(`Unexpected argument: ${excess.join(' ')}`);
  if (action === 'list' && operand === undefined) return { action };
  if (action === 'create') {
    const name = parseName(operand);
    const options = {
      scope: parseScope(values.scope),
      allowed_origins: parseOrigins(values.origin, values.scope),
      rate_limit: parseLimit(values['rate-limit']),
      all_applications: parseAll(values['all-applications'], values.scope),
      expires_at: parseExpiry(values.expires),
    };
    return { action, name, options };
  }
  if (action === 'limit') {
    const name = parseName(operand);
    const changes = {
      types_limit: parseOwnLimit('--types-limit', values['types-limit'], 0, MAX_TYPES_LIMIT),
      past_limit: parseOwnLimit('--past-limit', values['past-limit'], 1, MAX_PAST_LIMIT),
    };
    return { action, name, changes };
  }
  if (action === 'revoke') return { action, id: parseId(operand) };
  throw new Error(`There is no command "${positionals.join(' ')}": use create, limit, list or revoke.`);
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
  const invalid = origins.find((origin) => !isOriginPattern(origin));
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

/** @returns null for `default` */
function parseOwnLimit(
  option: string,
  text: string | undefined,
  min: number,
  max: number,
): number | null | undefined {
  if (text === undefined) return undefined;
  if (text === 'default') return null;
  if (/^\d{1,9}$/.test(text) && Number(text) >= min && Number(text) <= max) return Number(text);
  throw new Error(`${option} must be a number from ${min} to ${max}, or default.`);
}

function parseAll(all = false, scope: string): boolean {
  if (all && scope === 'ingest')
    throw new Error('A key of scope ingest sends the events of its application only.');
  return all;
}

function parseExpiry(expires: string | undefined): Timestamp | undefined {
  if (expires === undefined) return undefined;
  try {
    const expiry = parseBound(expires, 'before');
    if (expiry.milliseconds > Date.now()) return expiry;
  } catch (error) {
    if (!(error instanceof TimestampError)) throw error;
  }
  throw new Error('--expires must be a date or a date-time in the future, e.g. 2035-12-31.');
}

function parseId(id = ''): string {
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id)) return id;
  throw new Error('revoke needs the id of a key, as list shows it.');
}
