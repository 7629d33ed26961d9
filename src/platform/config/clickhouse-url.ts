/** CLICKHOUSE_URL is invalid. The message names the part, but no value, because values may be secrets. */
export class ClickHouseUrlError extends Error {}

/** Where ClickHouse is, and as whom and in which database to work. */
export interface ClickHouseAddress {
  /** Without user, password and database. For a socket, the part before the path means nothing. */
  readonly url: string;
  /** Unix socket of the embedded ClickHouse. */
  readonly socketPath?: string;
  readonly username: string;
  readonly password: string;
  readonly database: string;
}

const DEFAULT_DATABASE = 'the_eye';
const DEFAULT_USER = 'default';

/** A name that needs no quoting in a statement. */
const DATABASE = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;

/**
 * Every part is honoured or refused.
 * @param text `http://[user:password@]host[:port][/database]`, `https://…` or `unix:///path[?database=name]`
 * @throws ClickHouseUrlError
 */
export function parseClickHouseUrl(text: string): ClickHouseAddress {
  if (!URL.canParse(text))
    throw new ClickHouseUrlError('is not a valid URL (encode special characters, e.g. @ as %40)');
  const url = new URL(text);
  if (url.hash) throw new ClickHouseUrlError('must not have a fragment (encode # as %23)');
  switch (url.protocol) {
    case 'unix:':
      return unixAddress(url);
    case 'http:':
    case 'https:':
      return tcpAddress(url);
    default:
      throw new ClickHouseUrlError('must start with http://, https:// or unix://');
  }
}

function unixAddress({ host, pathname, searchParams }: URL): ClickHouseAddress {
  if (host) throw new ClickHouseUrlError('must have three slashes: unix:///path');
  for (const name of searchParams.keys()) {
    if (name !== 'database') throw unknownParameter(name);
  }
  return {
    url: 'http://localhost',
    socketPath: decode(pathname),
    username: DEFAULT_USER,
    password: '',
    database: databaseOf(searchParams.get('database') ?? ''),
  };
}

function tcpAddress(url: URL): ClickHouseAddress {
  for (const name of url.searchParams.keys()) throw unknownParameter(name);
  const { protocol, hostname, username, password, pathname } = url;
  const port = url.port || (protocol === 'https:' ? '8443' : '8123');
  return {
    url: `${protocol}//${hostname}:${port}`,
    username: decode(username) || DEFAULT_USER,
    password: decode(password),
    database: databaseOf(decode(pathname.slice(1))),
  };
}

const unknownParameter = (name: string): ClickHouseUrlError =>
  new ClickHouseUrlError(`has the unknown parameter "${name}"`);

function databaseOf(text: string): string {
  const database = text || DEFAULT_DATABASE;
  if (!DATABASE.test(database))
    throw new ClickHouseUrlError(
      'must name a database of letters, digits and underscores, e.g. http://host:8123/the_eye',
    );
  return database;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new ClickHouseUrlError('has a % that encodes nothing (write it as %25)');
  }
}
