import type { RedisOptions } from 'ioredis';
import { readFileSync } from 'node:fs';

/** REDIS_URL is invalid. The message names the part, but no value, because values may be secrets. */
export class RedisUrlError extends Error {}

/** The parameters of each scheme. Those for TLS are files, named as the options of redis-cli. */
const PARAMETERS: Record<string, readonly string[]> = {
  'redis:': ['family'],
  'rediss:': ['family', 'cacert', 'cert', 'key', 'sni'],
  'unix:': ['db', 'username', 'password'],
};

/**
 * Every part is honoured or refused.
 * @param url `redis://[user:password@]host[:port][/db][?family=4]`, `rediss://…[?cacert=file]` or
 *   `unix:///path[?db=1]`
 * @throws RedisUrlError
 */
export function parseRedisUrl(text: string): RedisOptions {
  if (!URL.canParse(text))
    throw new RedisUrlError('is not a valid URL (encode special characters, e.g. @ as %40)');
  const url = new URL(text);
  const known = PARAMETERS[url.protocol];
  if (!known) throw new RedisUrlError('must start with redis://, rediss:// or unix://');
  requireKnownParts(url, known);
  return url.protocol === 'unix:' ? unixOptions(url) : tcpOptions(url);
}

function requireKnownParts({ protocol, hash, searchParams, host }: URL, known: readonly string[]): void {
  if (hash) throw new RedisUrlError('must not have a fragment (encode # as %23)');
  for (const name of searchParams.keys()) {
    if (!known.includes(name))
      throw new RedisUrlError(`has the unknown parameter "${name}"; ${protocol}// knows ${known.join(', ')}`);
    if (searchParams.getAll(name).length > 1 || searchParams.get(name) === '')
      throw new RedisUrlError(`must have one value of the parameter "${name}"`);
  }
  if (protocol === 'unix:' && host) throw new RedisUrlError('must have three slashes: unix:///path');
  if (protocol !== 'unix:' && !host) throw new RedisUrlError('names no host');
  if (host.includes(',') || host.includes('%2C'))
    throw new RedisUrlError('names several hosts; name one primary, or an address that follows it');
}

function unixOptions({ pathname, searchParams }: URL): RedisOptions {
  return {
    path: decode(pathname),
    username: searchParams.get('username') ?? undefined,
    password: searchParams.get('password') ?? undefined,
    db: databaseOf(searchParams.get('db') ?? ''),
  };
}

function tcpOptions({
  protocol,
  hostname,
  port,
  username,
  password,
  pathname,
  searchParams,
}: URL): RedisOptions {
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port || 6379),
    username: username ? decode(username) : undefined,
    password: password ? decode(password) : undefined,
    db: databaseOf(pathname.slice(1)),
    family: familyOf(searchParams.get('family')),
    ...(protocol === 'rediss:' && { tls: tlsOptions(searchParams) }),
  };
}

function tlsOptions(parameters: URLSearchParams): NonNullable<RedisOptions['tls']> {
  const [cert, key] = [parameters.get('cert'), parameters.get('key')];
  if ((cert === null) !== (key === null))
    throw new RedisUrlError('must have both parameters "cert" and "key", or neither');
  const servername = parameters.get('sni');
  return {
    ...fileOption('ca', 'cacert', parameters),
    ...fileOption('cert', 'cert', parameters),
    ...fileOption('key', 'key', parameters),
    ...(servername !== null && { servername }),
  };
}

function fileOption(option: string, parameter: string, parameters: URLSearchParams): Record<string, Buffer> {
  const file = parameters.get(parameter);
  if (file === null) return {};
  try {
    return { [option]: readFileSync(file) };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new RedisUrlError(`names a file by "${parameter}" that cannot be read (${code})`);
  }
}

function databaseOf(text: string): number {
  if (!/^\d{0,5}$/.test(text))
    throw new RedisUrlError('must have a number as its database, e.g. redis://host:6379/1');
  return Number(text);
}

function familyOf(text: string | null): number | undefined {
  if (text === null) return undefined;
  if (text !== '4' && text !== '6') throw new RedisUrlError('must have the family 4 or 6');
  return Number(text);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new RedisUrlError('has a % that encodes nothing (write it as %25)');
  }
}
