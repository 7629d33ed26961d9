import 'reflect-metadata';
import { plainToInstance, Type } from 'class-transformer';
import {
  IsIn,
  IsInt,
  IsOptional,
  IsString,
  Matches,
  Max,
  Min,
  MinLength,
  ValidateBy,
  validateSync,
} from 'class-validator';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { parseClickHouseUrl } from './clickhouse-url.js';
import { parseRedisUrl } from './redis-url.js';
import { type Role, ROLES } from './role.js';

const AUTH_MODES = ['required', 'off'] as const;
export type AuthMode = (typeof AUTH_MODES)[number];

const MEBIBYTE = 1024 * 1024;

const LOG_LEVELS = ['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;

const UNKNOWN_TYPES = ['accept', 'observe', 'refuse'] as const;

/** Days: as far back as timestamps reach. */
export const MAX_PAST_LIMIT = 3_652_424;

export const MAX_TYPES_LIMIT = 1_000_000;

/** A comma-separated list of texts that match `item`. */
function listOf(item: RegExp): RegExp {
  return new RegExp(`^\\s*${item.source}\\s*(?:,\\s*${item.source}\\s*)*$`, 'i');
}

/** The items of a comma-separated list. */
export function itemsOf(list: string | undefined): string[] {
  return list?.split(',').map((item) => item.trim()) ?? [];
}

function isPublicUrl(value: unknown): boolean {
  if (typeof value !== 'string' || !/^https?:\/\//i.test(value) || !URL.canParse(value)) return false;
  const { username, password, search, hash } = new URL(value);
  return `${username}${password}${search}${hash}` === '';
}

function isProxyList(value: unknown): boolean {
  return itemsOf(value as string).every((item) => {
    const [address = '', prefix = '0', ...rest] = item.split('/');
    const bits = isIP(address) === 4 ? 32 : 128;
    return isIP(address) !== 0 && /^\d{1,3}$/.test(prefix) && Number(prefix) <= bits && rest.length === 0;
  });
}

/** Accepts only an integer from `min` to `max`. */
function Integer(min: number, max: number): PropertyDecorator {
  return (target, property) => {
    Type(() => Number)(target, property);
    IsInt()(target, property);
    Min(min)(target, property);
    Max(max)(target, property);
  };
}

/**
 * Every variable that The Eye reads, with its default. Only this class and docs/configuration.md name them, and a unit spec
 * keeps the two lists equal.
 */
export class Environment {
  /** Address to listen on. */
  @IsString()
  @MinLength(1)
  HOST: string = '127.0.0.1';

  /** Port to listen on; 0 means any free port. A process with ROLE=worker uses the next port by default. */
  @Integer(0, 65_535)
  PORT: number = 8000;

  /** The address at which others reach this process, e.g. `https://example.com/eye/`. Links are absolute below it. */
  @IsOptional()
  @ValidateBy(
    { name: 'isPublicUrl', validator: { validate: isPublicUrl } },
    {
      message:
        '$property must be an http:// or https:// address without a query, e.g. https://example.com/eye/',
    },
  )
  PUBLIC_URL?: string;

  /** Names that requests may have as their `Host`, separated by commas, e.g. `eye.example,*.eye.example`. */
  @IsOptional()
  @Matches(listOf(/(?:\*\.)?[a-z\d_](?:[a-z\d._-]*[a-z\d_])?/), {
    message:
      '$property must be host names without ports, separated by commas, e.g. eye.example,*.eye.example',
  })
  ALLOWED_HOSTS?: string;

  /** Addresses of the proxies whose X-Forwarded-For, -Proto and -Host count, separated by commas, e.g. `10.0.0.0/8`. */
  @IsOptional()
  @ValidateBy(
    { name: 'isProxyList', validator: { validate: isProxyList } },
    { message: '$property must be IP addresses or subnets, separated by commas, e.g. 127.0.0.1,10.0.0.0/8' },
  )
  TRUSTED_PROXIES?: string;

  /** What this process does: `all`, `api` (serves requests) or `worker` (stores events). */
  @IsIn(ROLES)
  ROLE: Role = 'all';

  /** Whether requests need a key. Must be set unless HOST is a loopback address. */
  @IsIn(AUTH_MODES)
  AUTH: AuthMode = 'off';

  /** Events per minute and key, unless the key has a limit of its own. */
  @Integer(1, 1_000_000_000)
  RATE_LIMIT: number = 600_000;

  /** External PostgreSQL, e.g. `postgresql://user:password@host:5432/database`. Unset: an embedded one. */
  @IsOptional()
  @Matches(/^postgres(ql)?:\/\//, { message: '$property must start with postgresql://' })
  DATABASE_URL?: string;

  /** External Redis, e.g. `redis://host:6379`, `rediss://…` or `unix:///path`. Unset: an embedded one. */
  @IsOptional()
  @IsString()
  REDIS_URL?: string;

  /** External ClickHouse, e.g. `http://user:password@host:8123/the_eye` or `https://…`. Unset: an embedded one. */
  @IsOptional()
  @IsString()
  CLICKHOUSE_URL?: string;

  /** Folder of the embedded PostgreSQL, Redis and ClickHouse, relative to the working directory. */
  @IsString()
  @MinLength(1)
  DATA_DIR: string = 'data';

  /** Characters in `session_id`, `category` and `name`, each. */
  @Integer(1, 600)
  TEXT_LIMIT: number = 255;

  /** Bytes of `data`, as compact JSON in UTF-8. */
  @Integer(2, 16 * MEBIBYTE)
  DATA_LIMIT: number = 64 * 1024;

  /** Levels of nesting in `data`. */
  @Integer(1, 1000)
  DEPTH_LIMIT: number = 100;

  /** Bytes of the body of a request, before and after it is decompressed. */
  @Integer(1024, 256 * MEBIBYTE)
  BODY_LIMIT: number = 5 * MEBIBYTE;

  /** Bytes of all bodies that a process receives at once. Beyond it: 503; a caller may use a quarter, beyond it: 429. */
  @Integer(1024, 64 * 1024 * MEBIBYTE)
  BODIES_LIMIT: number = 64 * MEBIBYTE;

  /** Events in one request. */
  @Integer(1, 100_000)
  EVENTS_LIMIT: number = 5000;

  /** Seconds that a timestamp may be ahead of the server's clock. */
  @Integer(0, 86_400)
  FUTURE_LIMIT: number = 300;

  /** Days that a timestamp may lie in the past, unless the application has a limit of its own. */
  @Integer(1, MAX_PAST_LIMIT)
  PAST_LIMIT: number = 36_500;

  /** Event types, as pairs of category and name, that an application may use, unless it has a limit of its own. */
  @Integer(0, MAX_TYPES_LIMIT)
  TYPES_LIMIT: number = 10_000;

  /** Bytes of a refused event that are kept. A longer one is truncated and cannot be retried. */
  @Integer(0, MEBIBYTE)
  REJECTION_EVENT_LIMIT: number = 16 * 1024;

  /** Refused events that a process keeps per second and application. All of them are counted. */
  @Integer(0, 10_000)
  REJECTIONS_SAMPLE: number = 20;

  /** Days after which rejections and their counts are deleted. */
  @Integer(1, 3650)
  REJECTIONS_KEEP: number = 30;

  /** Events that may wait in Redis. Beyond it, new events get 503 until the workers catch up. */
  @Integer(1, 1_000_000_000)
  BACKLOG_LIMIT: number = 5_000_000;

  /** Milliseconds within which Redis must confirm an event; then the sender gets 503. */
  @Integer(100, 60_000)
  REDIS_TIMEOUT: number = 1500;

  /** Milliseconds within which PostgreSQL must complete a query; then the reader gets 503. */
  @Integer(100, 60_000)
  QUERY_TIMEOUT: number = 5000;

  /** Exports that a process runs at once; one more gets 503. */
  @Integer(1, 8)
  EXPORTS_LIMIT: number = 4;

  /** Milliseconds after which a worker cancels a statement and tries it again. */
  @Integer(1000, 600_000)
  STORE_TIMEOUT: number = 60_000;

  /** Milliseconds within which a request must arrive. */
  @Integer(1000, 600_000)
  REQUEST_TIMEOUT: number = 30_000;

  /** Seconds that `Prefer: wait` may ask for. */
  @Integer(0, 300)
  WAIT_LIMIT: number = 30;

  /** What happens to events of a type that is not registered: `accept`, `observe` (accept and record) or `refuse`. */
  @IsIn(UNKNOWN_TYPES)
  UNKNOWN_TYPES: (typeof UNKNOWN_TYPES)[number] = 'accept';

  /** Seconds for which a process that was asked to stop serves requests as before, while `/health/ready` says `draining`. */
  @Integer(0, 300)
  DRAIN_SECONDS: number = 0;

  /** The lowest level that is logged. `debug` includes every request, `silent` nothing at all. */
  @IsIn(LOG_LEVELS)
  LOG_LEVEL: (typeof LOG_LEVELS)[number] = 'info';

  /** Where to send traces by OTLP over HTTP (JSON), e.g. `http://127.0.0.1:4318`. Unset: no traces. */
  @IsOptional()
  @Matches(/^https?:\/\//, { message: '$property must start with http:// or https://' })
  OTEL_EXPORTER_OTLP_ENDPOINT?: string;

  /** Whether npm started this process. Not a variable of The Eye: npm sets `npm_lifecycle_event`. */
  startedByNpm: boolean = false;
}

/** Some variables are invalid. The message names them, but not their values, which may be secrets. */
export class EnvironmentError extends Error {}

const AUTH_UNDECIDED =
  'AUTH must be set because HOST is not a loopback address: AUTH=required demands a key for every request ' +
  '(create one with: npm run applications -- create my-app --scope admin), AUTH=off trusts everybody on the network';

/** True for an address that only this machine can reach. */
function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

/** Says what is wrong, but not the value, which may hold a password. */
function urlErrors(name: string, url: string | undefined, parse: (url: string) => unknown): string[] {
  try {
    if (url !== undefined) parse(url);
    return [];
  } catch (error) {
    return [`${name} ${(error as Error).message}`];
  }
}

/**
 * The value of a variable: its own, or the content of the file that `NAME_FILE` names, as for secrets of Docker or Kubernetes.
 * @returns undefined if neither is set
 * @throws EnvironmentError
 */
function readVariable(variables: Record<string, string | undefined>, name: string): string | undefined {
  const given = (variable: string): string | undefined =>
    (variables[variable] ?? '').trim() === '' ? undefined : variables[variable];
  const [value, file] = [given(name), given(`${name}_FILE`)];
  if (file === undefined) return value;
  if (value !== undefined) throw new EnvironmentError(`${name} and ${name}_FILE cannot both be set`);
  let content: string;
  try {
    content = readFileSync(file, 'utf8');
  } catch (error) {
    throw new EnvironmentError(
      `${name}_FILE names a file that cannot be read (${(error as NodeJS.ErrnoException).code})`,
    );
  }
  const text = content.replace(/\r?\n$/, '');
  if (text.trim() === '') throw new EnvironmentError(`${name}_FILE names an empty file`);
  return text;
}

/**
 * Reads and validates the environment.
 * @throws EnvironmentError with one line for each invalid variable
 */
export function readEnvironment(variables: Record<string, string | undefined>): Environment {
  const known = new Environment();
  const given: Record<string, string> = {};
  const errors: string[] = [];
  const optional = [
    'PUBLIC_URL',
    'ALLOWED_HOSTS',
    'TRUSTED_PROXIES',
    'DATABASE_URL',
    'REDIS_URL',
    'CLICKHOUSE_URL',
    'OTEL_EXPORTER_OTLP_ENDPOINT',
  ];
  const names = Object.keys(known).filter((name) => name !== 'startedByNpm');
  for (const name of new Set([...names, ...optional])) {
    try {
      const value = readVariable(variables, name);
      if (value !== undefined) given[name] = value;
    } catch (error) {
      if (!(error instanceof EnvironmentError)) throw error;
      errors.push(error.message);
    }
  }
  const environment = plainToInstance(Environment, given, { exposeDefaultValues: true });
  for (const { constraints = {} } of validateSync(environment))
    errors.push(Object.values(constraints).join(', '));
  errors.push(
    ...urlErrors('REDIS_URL', environment.REDIS_URL, parseRedisUrl),
    ...urlErrors('CLICKHOUSE_URL', environment.CLICKHOUSE_URL, parseClickHouseUrl),
  );
  if (given['AUTH'] === undefined && !isLoopback(environment.HOST)) errors.push(AUTH_UNDECIDED);
  if (errors.length > 0) throw new EnvironmentError(errors.map((line) => `  ${line}`).join('\n'));
  environment.startedByNpm = variables['npm_lifecycle_event'] !== undefined;
  if (environment.ROLE === 'worker' && given['PORT'] === undefined) environment.PORT += 1;
  return environment;
}

function readOrExit(): Environment {
  try {
    return readEnvironment(process.env);
  } catch (error) {
    if (!(error instanceof EnvironmentError)) throw error;
    console.error(`The Eye cannot start. Fix these environment variables:\n${error.message}`);
    process.exit(1);
  }
}

/** The environment of this process, read once. */
export const environment: Environment = readOrExit();
