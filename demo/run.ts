import { parseArgs } from 'node:util';
import { goOn } from './live.js';
import { DemoError, TheEye } from './the-eye.js';
import { sendWeek } from './week.js';
import { APPLICATIONS } from './world.js';

/*
 * npm run demo [-- --url http://127.0.0.1:8000 --events 100000 --seed 1 --live 20]
 *
 * Fills The Eye with a believable week of three made-up applications, through the public API. What happened in an hour
 * depends only on the seed and the hour, so running it again adds what has happened since, and stores nothing twice.
 * KEY holds a key of scope admin, where The Eye asks for one. With --live it goes on at so many events a second.
 */

const OPTIONS = {
  url: { type: 'string', default: 'http://127.0.0.1:8000' },
  events: { type: 'string', default: '100000' },
  seed: { type: 'string', default: '1' },
  live: { type: 'string', default: '0' },
} as const;

/** @throws DemoError where an option is not as it must be */
function readOptions(): { url: string; events: number; seed: number; live: number } {
  const { values } = parseArgs({ options: OPTIONS });
  const integer = (name: 'events' | 'seed' | 'live', most: number): number => {
    const value = Number(values[name]);
    if (values[name].trim() !== '' && Number.isInteger(value) && value >= 0 && value <= most) return value;
    throw new DemoError(`--${name} must be a whole number up to ${most.toLocaleString('en')}.`);
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
  const { url, events, seed, live } = readOptions();
  const eye = new TheEye(url, process.env['KEY']);
  const interrupted = new AbortController();
  await eye.prepare(APPLICATIONS);
  try {
    console.log(`A week of ${APPLICATIONS.map(({ name }) => name).join(', ')}, sent to ${url}:\n`);
    const began = performance.now();
    const { accepted, refused } = await sendWeek(eye, seed, events, Date.now());
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    const count = (value: number): string => value.toLocaleString('en');
    console.log(`\n${count(accepted)} events were accepted and ${count(refused)} refused, in ${seconds} s.`);
    console.log(`Look at them: ${url}`);
    if (live === 0) return;
    console.log(`\nGoing on with about ${live} events a second until Ctrl-C.`);
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort());
    await goOn(eye, seed, live, interrupted.signal);
  } finally {
    await eye.leave();
  }
}

main().catch((error: unknown) => {
  const known = error instanceof DemoError || (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS');
  console.error(known ? (error as Error).message : error);
  process.exitCode = 1;
});
