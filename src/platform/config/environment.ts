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

const AUTH_MODES = ['required', 'off'] as const;
export type AuthMode = (typeof AUTH_MODES)[number];

const MEGABYTE = 1024 * 1024;

const LOG_LEVELS = ['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;

const UNKNOWN_TYPES = ['accept', 'observe', 'refuse'] as const;

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
  @Matches(/^(rediss?|unix):\/\//, { message: '$property must start with redis://, rediss:// or unix://' })
  REDIS_URL?: string;

  /** Folder of the embedded PostgreSQL and Redis, relative to the working directory. */
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

  /** Bytes of the body of a request. */
  @Integer(1024, 256 * MEGABYTE)
  BODY_LIMIT: number = 5 * MEGABYTE;

  /** Events in one request. */
  @Integer(1, 100_000)
  EVENTS_LIMIT: number = 5000;

  /** Seconds that a timestamp may be ahead of the server's clock. */
  @Integer(0, 86_400)
  FUTURE_LIMIT: number = 300;

  /** Bytes of a refused event that are kept. A longer one is truncated and cannot be retried. */
  @Integer(0, MEGABYTE)
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

/**
 * Reads and validates the environment.
 * @throws EnvironmentError with one line for each invalid variable
 */
export function readEnvironment(variables: Record<string, string | undefined>): Environment {
  const known = new Environment();
  const given = Object.fromEntries(
    [...Object.keys(known), 'DATABASE_URL', 'REDIS_URL', 'OTEL_EXPORTER_OTLP_ENDPOINT']
      .filter((name) => (variables[name] ?? '').trim() !== '')
      .map((name) => [name, variables[name]]),
  );
  const environment = plainToInstance(Environment, given, { exposeDefaultValues: true });
  const errors = validateSync(environment).map(({ constraints = {} }) =>
    Object.values(constraints).join(', '),
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
