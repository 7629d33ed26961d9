import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import type pg from 'pg';

/** Milliseconds to wait for a connection, from the pool or from PostgreSQL, unless `connect_timeout` says otherwise. */
export const CONNECT_TIMEOUT_MS = 1500;

const DEFAULT_PORT = 5432;

/** DATABASE_URL cannot be used. The message names the parameter, but no secret. */
export class DatabaseUrlError extends Error {
  constructor(problem: string) {
    super(`DATABASE_URL: ${problem}.`);
  }
}

/** One way to reach a server: a host, with or without TLS. */
export interface ServerAddress {
  readonly host: string;
  readonly port: number;
  readonly ssl: false | ConnectionOptions;
}

/** What DATABASE_URL says. */
export interface DatabaseAddress {
  /** To be tried in this order. */
  readonly servers: readonly ServerAddress[];
  /** The options of a connection to any of them. */
  readonly client: pg.ClientConfig;
  /** Whether to pass over servers that are read-only (`target_session_attrs`). */
  readonly mustBeWritable: boolean;
  /** Whether to refuse a server without SCRAM-SHA-256-PLUS (`channel_binding=require`). */
  readonly mustBindChannel: boolean;
}

/** Parameters that are honoured; all others are refused by name. */
const PARAMETERS = new Set([
  ...['host', 'port', 'user', 'password', 'dbname'],
  ...['application_name', 'fallback_application_name', 'options', 'connect_timeout', 'client_encoding'],
  ...['ssl', 'sslmode', 'sslrootcert', 'sslcert', 'sslkey', 'sslpassword', 'uselibpqcompat'],
  ...['channel_binding', 'gssencmode', 'target_session_attrs', 'keepalives', 'keepalives_idle'],
  ...['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout'],
]);

const SSL_MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full', 'no-verify'];

/**
 * Reads a connection URI as libpq does: several hosts, percent-encoding, and TLS by `sslmode`. Two things differ: without
 * `sslmode` there is no TLS, and `verify-full` without `sslrootcert` trusts the authorities of Node.js, not a file.
 * @see https://www.postgresql.org/docs/current/libpq-connect.html
 * @throws DatabaseUrlError
 */
export function readDatabaseUrl(url: string): DatabaseAddress {
  // The password may contain any character but / ? and #, so the last @ ends it.
  const parts = /^postgres(?:ql)?:\/\/(?:([^/?#]*)@)?([^/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/.exec(url);
  if (!parts) throw new DatabaseUrlError('must look like postgresql://user:password@host:5432/database');
  const [, userInfo = '', authority = '', path = '', query = ''] = parts;
  const parameters = readParameters(query);
  const [user = '', ...password] = userInfo.split(':');
  const timeoutSeconds = numberOf(parameters, 'connect_timeout') ?? 0;
  return {
    servers: serversOf(authority, parameters),
    client: {
      user: parameters.get('user') ?? (decode(user) || undefined),
      password: parameters.get('password') ?? (decode(password.join(':')) || undefined),
      database: parameters.get('dbname') ?? (decode(path) || undefined),
      application_name:
        parameters.get('application_name') ?? parameters.get('fallback_application_name') ?? 'the-eye',
      options: parameters.get('options'),
      statement_timeout: numberOf(parameters, 'statement_timeout'),
      lock_timeout: numberOf(parameters, 'lock_timeout'),
      idle_in_transaction_session_timeout: numberOf(parameters, 'idle_in_transaction_session_timeout'),
      connectionTimeoutMillis: timeoutSeconds > 0 ? timeoutSeconds * 1000 : CONNECT_TIMEOUT_MS,
      // Lets the kernel detect dead connections, because migrations run without a deadline.
      keepAlive: parameters.get('keepalives') !== '0',
      keepAliveInitialDelayMillis: (numberOf(parameters, 'keepalives_idle') ?? 10) * 1000,
    },
    mustBeWritable:
      choiceOf(parameters, 'target_session_attrs', ['any', 'read-write', 'primary'], 'any') !== 'any',
    mustBindChannel:
      choiceOf(parameters, 'channel_binding', ['disable', 'prefer', 'require'], 'prefer') === 'require',
  };
}

function readParameters(query: string): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const pair of query.split('&').filter((text) => text !== '')) {
    const [name = '', ...value] = pair.split('=').map(decode);
    if (!PARAMETERS.has(name)) throw new DatabaseUrlError(`does not support the parameter ${name}`);
    if (parameters.has(name)) throw new DatabaseUrlError(`has the parameter ${name} twice`);
    parameters.set(name, value.join('='));
  }
  choiceOf(parameters, 'uselibpqcompat', ['true'], 'true');
  choiceOf(parameters, 'gssencmode', ['disable', 'prefer'], 'prefer');
  choiceOf(parameters, 'client_encoding', ['UTF8', 'utf8', 'auto'], 'UTF8');
  return parameters;
}

/** Percent-decodes a text. A % that begins no escape stands for itself, so that it need not be encoded in a password. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text.replace(/%(?![0-9a-f]{2})/gi, '%25'));
  } catch {
    throw new DatabaseUrlError('contains a percent-encoding that is not UTF-8');
  }
}

function numberOf(parameters: ReadonlyMap<string, string>, name: string): number | undefined {
  const text = parameters.get(name);
  if (text === undefined) return undefined;
  if (!/^\d{1,9}$/.test(text)) throw new DatabaseUrlError(`${name} must be a whole number`);
  return Number(text);
}

function choiceOf(
  parameters: ReadonlyMap<string, string>,
  name: string,
  choices: readonly string[],
  preset: string,
): string {
  const value = parameters.get(name) ?? preset;
  if (!choices.includes(value)) throw new DatabaseUrlError(`${name} must be ${choices.join(' or ')}`);
  return value;
}

/** Each host, with every way to reach it by its `sslmode`. */
function serversOf(authority: string, parameters: ReadonlyMap<string, string>): ServerAddress[] {
  const inAuthority = authority.split(',').map(splitHost);
  const hosts = parameters.get('host')?.split(',') ?? inAuthority.map(({ host }) => host);
  const ports = parameters.get('port')?.split(',') ?? inAuthority.map(({ port }) => port);
  if (ports.length !== 1 && ports.length !== hosts.length)
    throw new DatabaseUrlError(`has ${hosts.length} hosts and ${ports.length} ports`);
  const ways = waysOf(parameters);
  return hosts.flatMap((host, index) => {
    const server = { host: host || 'localhost', port: portOf(ports[index] ?? ports[0] ?? '') };
    // Like libpq, no TLS on a Unix socket.
    return host.startsWith('/') ? { ...server, ssl: false } : ways.map((ssl) => ({ ...server, ssl }));
  });
}

function splitHost(text: string): { host: string; port: string } {
  const [, bracketed, plain, port = ''] = /^(?:\[([^\]]*)\]|([^:]*))(?::(.*))?$/.exec(text) ?? [];
  return { host: decode(bracketed ?? plain ?? ''), port };
}

function portOf(text: string): number {
  if (text === '') return DEFAULT_PORT;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535)
    throw new DatabaseUrlError(
      'the port must be a number from 1 to 65535 (in a password, write / as %2F, ? as %3F and # as %23)',
    );
  return port;
}

/** The ways to connect, in their order: without TLS, or with the options of TLS. */
function waysOf(parameters: ReadonlyMap<string, string>): (false | ConnectionOptions)[] {
  const ssl = choiceOf(parameters, 'ssl', ['true', '1', 'false', '0', 'no-verify'], 'false');
  const hasFiles = ['sslrootcert', 'sslcert', 'sslkey'].some((name) => parameters.has(name));
  const preset =
    { true: 'verify-full', '1': 'verify-full', 'no-verify': 'require' }[ssl] ??
    (hasFiles ? 'verify-full' : 'disable');
  const rootCertificate = parameters.get('sslrootcert');
  // As libpq does: `system` trusts public authorities, so the name must be right.
  const isSystem = rootCertificate === 'system';
  const mode = choiceOf(parameters, 'sslmode', SSL_MODES, isSystem ? 'verify-full' : preset);
  if (isSystem && mode !== 'verify-full')
    throw new DatabaseUrlError('sslrootcert=system needs sslmode=verify-full');
  if (mode === 'verify-ca' && rootCertificate === undefined)
    throw new DatabaseUrlError('sslmode=verify-ca needs sslrootcert');
  if (mode === 'disable') return [false];
  const files: ConnectionOptions = {
    ca: isSystem ? undefined : fileOf(parameters, 'sslrootcert'),
    cert: fileOf(parameters, 'sslcert'),
    key: fileOf(parameters, 'sslkey'),
    passphrase: parameters.get('sslpassword'),
  };
  const unverified = { ...files, rejectUnauthorized: false };
  const anyName = { ...files, checkServerIdentity: () => undefined };
  switch (mode) {
    case 'allow':
      return [false, unverified];
    case 'prefer':
      return [unverified, false];
    case 'verify-full':
      return [files];
    case 'verify-ca':
      return [anyName];
    case 'require':
      // As libpq does: with a root certificate, it means verify-ca.
      return [files.ca === undefined ? unverified : anyName];
    default:
      return [unverified];
  }
}

function fileOf(parameters: ReadonlyMap<string, string>, name: string): string | undefined {
  const path = parameters.get(name);
  if (path === undefined) return undefined;
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new DatabaseUrlError(`the file of ${name} cannot be read (${(error as Error).message})`);
  }
}
