import { Logger, PinoLogger } from 'nestjs-pino';
import { destination, type DestinationStream, pino } from 'pino';
import { environment } from '../config/environment.js';

/**
 * The log: a JSON line a message on the standard output, or lines for people where that is a terminal.
 *
 * Written at once, so that nothing is missing when the process dies; therefore little is said on the hot path.
 */
export const log = pino(
  {
    level: environment.LOG_LEVEL,
    base: { pid: process.pid, role: environment.ROLE },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (level) => ({ level }) },
    serializers: { err: describeError },
  },
  process.stdout.isTTY ? await forPeople() : destination({ fd: 1, sync: true }),
);

/** Loaded only where somebody looks on. */
async function forPeople(): Promise<DestinationStream> {
  const { default: pretty } = await import('pino-pretty');
  return pretty({ sync: true, ignore: 'pid,role', translateTime: 'SYS:HH:MM:ss' });
}

/** Without its other members: an error of PostgreSQL carries the statement's parameters, which are payloads. */
function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return String(error);
  const { name, message, stack } = error;
  return { type: name, message, stack };
}

/** What Nest tells of every module and route at each start; the start message says what a person needs. */
const CHATTER = new Set([
  'NestFactory',
  'InstanceLoader',
  'RoutesResolver',
  'RouterExplorer',
  'NestApplication',
]);

/** Nest's messages in the log; its chatter only where somebody asks for everything. */
class QuietLogger extends Logger {
  override log(message: unknown, ...rest: unknown[]): void {
    if (CHATTER.has(String(rest.at(-1)))) super.debug(message, ...rest);
    else super.log(message, ...rest);
  }
}

export const nestLogger = new QuietLogger(new PinoLogger({ pinoHttp: { logger: log } }), {});
