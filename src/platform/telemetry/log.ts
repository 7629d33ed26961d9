import { Logger, PinoLogger } from 'nestjs-pino';
import { destination, type DestinationStream, pino } from 'pino';
import { environment } from '../config/environment.js';

/**
 * The log on the standard output: one JSON object a line, or readable lines on a terminal.
 *
 * Writes are synchronous, so that no line is lost when the process dies. The hot path must therefore log little.
 */
export const log = pino(
  {
    level: environment.LOG_LEVEL,
    base: { pid: process.pid, role: environment.ROLE },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (level) => ({ level }) },
    serializers: { err: describeError },
  },
  process.stdout.isTTY ? await prettyStream() : destination({ fd: 1, sync: true }),
);

/** pino-pretty is loaded only on a terminal. */
async function prettyStream(): Promise<DestinationStream> {
  const { default: pretty } = await import('pino-pretty');
  return pretty({ sync: true, ignore: 'pid,role', translateTime: 'SYS:HH:MM:ss' });
}

/** Leaves out all other members: an error of PostgreSQL has the parameters of its statement, which are payloads. */
function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return String(error);
  const { name, message, stack } = error;
  return { type: name, message, stack };
}

/** Contexts in which Nest logs a line for every module and route at each start. */
const STARTUP_CONTEXTS = new Set([
  'NestFactory',
  'InstanceLoader',
  'RoutesResolver',
  'RouterExplorer',
  'NestApplication',
]);

/** Writes Nest's messages to the log, those of its start at level `debug`. */
class NestLogger extends Logger {
  override log(message: unknown, ...rest: unknown[]): void {
    if (STARTUP_CONTEXTS.has(String(rest.at(-1)))) super.debug(message, ...rest);
    else super.log(message, ...rest);
  }
}

export const nestLogger = new NestLogger(new PinoLogger({ pinoHttp: { logger: log } }), {});
