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
  validateSync,
} from 'class-validator';
import { type Role, ROLES } from './role.js';

/** Whether requests need a key. */
const AUTH_MODES = ['required', 'off'] as const;
export type AuthMode = (typeof AUTH_MODES)[number];

const MEGABYTE = 1024 * 1024;

/** From the quietest to the most talkative; `silent` says nothing at all. */
const LOG_LEVELS = ['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;

const UNKNOWN_TYPES = ['accept', 'observe', 'refuse'] as const;

/** An integer within bounds; anything else in the variable is an error that names it. */
function Integer(min: number, max: number): PropertyDecorator {
  return (target, property) => {
    Type(() => Number)(target, property);
    IsInt()(target, property);
    Min(min)(target, property);
    Max(max)(target, property);
  };
}

/**
 * Every variable that The Eye reads, with its default. This is the one place that names a variable;
 * docs/configuration.md lists the same names, and a unit spec keeps the two lists equal.
 */
export class Environment {
  /** Address to listen on. */
  @IsString()
  @MinLength(1)
  HOST: string = '127.0.0.1';

  /** Port to listen on; 0 takes a free one. A worker on its own answers health checks one port further. */
  @Integer(0, 65_535)
  PORT: number = 8000;

  /** What this process does: `all`, `api` (accepts and answers) or `worker` (stores). */
  @IsIn(ROLES)
  ROLE: Role = 'all';

  /** Whether requests need a key. Unset on an address that others reach: The Eye does not start. */
  @IsIn(AUTH_MODES)
  AUTH: AuthMode = 'off';

  /** Events a minute that a key may send, unless it has a limit of its own. */
  @Integer(1, 1_000_000_000)
  RATE_LIMIT: number = 600_000;

  /** PostgreSQL, e.g. `postgresql://user:password@host:5432/database`. Unset: The Eye brings its own. */
  @IsOptional()
  @Matches(/^postgres(ql)?:\/\//, { message: '$property must start with postgresql://' })
  DATABASE_URL?: string;

  /** Redis, e.g. `redis://host:6379`, `rediss://…` or `unix:///path`. Unset: The Eye brings its own. */
  @IsOptional()
  @Matches(/^(rediss?|unix):\/\//, { message: '$property must start with redis://, rediss:// or unix://' })
  REDIS_URL?: string;

  /** Folder of its own PostgreSQL and Redis; relative to the working directory. */
  @IsString()
  @MinLength(1)
  DATA_DIR: string = 'data';

  /** Characters in `session_id`, `category` and `name`, each. */
  @Integer(1, 600)
  TEXT_LIMIT: number = 255;

  /** Bytes of `data`, as compact JSON in UTF-8. */
  @Integer(2, 16 * MEGABYTE)
  DATA_LIMIT: number = 64 * 1024;

  /** Levels of nesting in `data`. */
  @Integer(1, 1000)
  DEPTH_LIMIT: number = 100;

  /** Bytes of a request's body. */
  @Integer(1024, 256 * MEGABYTE)
  BODY_LIMIT: number = 5 * MEGABYTE;

  /** Events in one request. */
  @Integer(1, 100_000)
  EVENTS_LIMIT: number = 5000;

  /** Seconds that a timestamp may lie ahead of the server's clock. */
  @Integer(0, 86_400)
  FUTURE_LIMIT: number = 300;

  /** Bytes of an event that are kept when it is refused; a longer one is cut and cannot be retried. */
  @Integer(0, MEGABYTE)
  REJECTION_EVENT_LIMIT: number = 16 * 1024;

  /** Refused events of an application that a process keeps in a second; all of them are counted. */
  @Integer(0, 10_000)
  REJECTIONS_SAMPLE: number = 20;

  /** Days for which rejections and their counts are kept. */
  @Integer(1, 3650)
  REJECTIONS_KEEP: number = 30;

  /** Events that may wait in Redis; past it new ones are answered 503 until workers catch up. */
  @Integer(1, 1_000_000_000)
  BACKLOG_LIMIT: number = 5_000_000;

  /** Milliseconds within which Redis must have taken an event; then the sender gets 503. */
  @Integer(100, 60_000)
  REDIS_TIMEOUT: number = 1500;

  /** Milliseconds within which PostgreSQL must have answered a query; then the reader gets 503. */
  @Integer(100, 60_000)
  QUERY_TIMEOUT: number = 5000;

  /** Exports that a process gives out at the same time; one more is answered 503. */
  @Integer(1, 8)
  EXPORTS_LIMIT: number = 4;

  /** Milliseconds that one statement of a worker may take; then its events are tried again. */
  @Integer(1000, 600_000)
  STORE_TIMEOUT: number = 60_000;

  /** Milliseconds within which a sender must have sent its whole request. */
  @Integer(1000, 600_000)
  REQUEST_TIMEOUT: number = 30_000;

  /** Seconds that `Prefer: wait` may ask for at the most. */
  @Integer(0, 300)
  WAIT_LIMIT: number = 30;

  /** What becomes of events whose type is not registered: `accept`, `observe` (and take note) or `refuse`. */
  @IsIn(UNKNOWN_TYPES)
  UNKNOWN_TYPES: (typeof UNKNOWN_TYPES)[number] = 'accept';

  /** The least that a message must be worth to be logged; `debug` tells of every request. */
  @IsIn(LOG_LEVELS)
  LOG_LEVEL: (typeof LOG_LEVELS)[number] = 'info';

  /** Where traces are sent, by OTLP over HTTP (JSON), e.g. `http://127.0.0.1:4318`. Unset: there are none. */
  @IsOptional()
  @Matches(/^https?:\/\//, { message: '$property must start with http:// or https://' })
  OTEL_EXPORTER_OTLP_ENDPOINT?: string;

  /** Set by npm, which started this process. */
  startedByNpm: boolean = false;
}

/** Thrown when a variable holds what it must not. Names variables, never their values, which may be secrets. */
export class EnvironmentError extends Error {}

const AUTH_UNDECIDED =
  'AUTH must be set, because HOST is an address that others may reach: AUTH=required asks everybody for a key ' +
  '(make one with: npm run applications -- create my-app --scope admin), AUTH=off trusts everybody who reaches it';

/** True for an address that only this machine reaches. */
function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

/**
 * Reads and validates the environment.
 * @throws EnvironmentError with a line for each bad variable
 */
export function readEnvironment(variables: Record<string, string | undefined>): Environment {
  const known = new Environment();
  const given = Object.fromEntries(
    [...Object.keys(known), 'DATABASE_URL', 'REDIS_URL', 'OTEL_EXPORTER_OTLP_ENDPOINT']
      .filter((name) => (variables[name] ?? '').trim() !== '')
      .map((name) => [name, variables[name]]),
  );
  const environment = plainToInstance(Environment, given, { exposeDefaultValues: true });
  const complaints = validateSync(environment).map(({ constraints = {} }) =>
    Object.values(constraints).join(', '),
  );
  if (given['AUTH'] === undefined && !isLoopback(environment.HOST)) complaints.push(AUTH_UNDECIDED);
  if (complaints.length > 0) throw new EnvironmentError(complaints.map((line) => `  ${line}`).join('\n'));
  environment.startedByNpm = variables['npm_lifecycle_event'] !== undefined;
  if (environment.ROLE === 'worker' && given['PORT'] === undefined) environment.PORT += 1;
  return environment;
}

function readOrExit(): Environment {
  try {
    return readEnvironment(process.env);
  } catch (error) {
    if (!(error instanceof EnvironmentError)) throw error;
    console.error(`The Eye cannot start; the environment needs a look:\n${error.message}`);
    process.exit(1);
  }
}

/** The environment of this process, read once; limits in it also appear in validators and in Swagger. */
export const environment: Environment = readOrExit();
