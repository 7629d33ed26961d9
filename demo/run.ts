import { parseArgs } from 'node:util';
import { DemoError, EyeClient } from './eye-client.js';
import { sendLive } from './live.js';
import { APPLICATIONS } from './simulation.js';
import { sendWeek } from './week.js';

const USAGE = `npm run demo [-- --url http://127.0.0.1:8000 --events 100000 --seed 1 --live 20]

Sends a simulated week of three applications to The Eye, through the public API. The events of an hour depend only on
the seed and the hour, so a second run sends only the events since the first one. If The Eye requires a key, KEY must be
one with the scope admin for all applications. With --live, the demo continues at that many events per second.`;

const OPTIONS = {
  url: { type: 'string', default: 'http://127.0.0.1:8000' },
  events: { type: 'string', default: '100000' },
  seed: { type: 'string', default: '1' },
  live: { type: 'string', default: '0' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

/**
 * @returns undefined if the usage is asked for
 * @throws DemoError that names an invalid option
 */
function readOptions(): { url: string; events: number; seed: number; live: number } | undefined {
  const { values } = parseArgs({ options: OPTIONS });
  if (values.help) return undefined;
  const integer = (name: 'events' | 'seed' | 'live', max: number): number => {
    const value = Number(values[name]);
    if (values[name].trim() !== '' && Number.isInteger(value) && value >= 0 && value <= max) return value;
    throw new DemoError(`--${name} must be a whole number up to ${max.toLocaleString('en')}.`);
  };
  if (!URL.canParse(values.url))
    throw new DemoError('--url must be an address such as http://127.0.0.1:8000.');
  return {
    url: values.url,
    events: integer('events', 10_000_000),
    seed: integer('seed', 2 ** 31),
    live: integer('live', 500),
  };
}

async function main(): Promise<void> {
  const options = readOptions();
  if (!options) return console.log(USAGE);
  const { url, events, seed, live } = options;
  const eye = new EyeClient(url, process.env['KEY']);
  const interrupted = new AbortController();
  await eye.prepare(APPLICATIONS);
  try {
    console.log(`Sending a week of ${APPLICATIONS.map(({ name }) => name).join(', ')} to ${url}:\n`);
    const startedAt = performance.now();
    const { accepted, refused, sentBefore } = await sendWeek(eye, seed, events, Date.now());
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    const count = (value: number): string => value.toLocaleString('en');
    console.log(`\n${count(accepted)} events were accepted and ${count(refused)} refused, in ${seconds} s.`);
    if (sentBefore > 0) console.log(`An earlier run has sent ${count(sentBefore)} more.`);
    console.log(`Open the dashboard: ${url}`);
    if (live === 0) return;
    console.log(`\nContinuing with about ${live} events per second. Press Ctrl-C to stop.`);
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort());
    await sendLive(eye, seed, live, interrupted.signal);
  } finally {
    await eye.revokeKeys();
  }
}

main().catch((error: unknown) => {
  const isExpected =
    error instanceof DemoError || (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS');
  console.error(isExpected ? (error as Error).message : error);
  process.exitCode = 1;
});
