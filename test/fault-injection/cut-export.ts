import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Random } from '../../testing/random.js';
import { anEvent, type TheEye } from '../../testing/the-eye.js';
import type { Deployment } from './deployment.js';

const CATEGORY = 'exported';

/** 24 MB in all, more than fits into the buffers between PostgreSQL and a reader that pauses. */
const REQUESTS = 8;
const EVENTS_PER_REQUEST = 50;
const TEXT_LENGTH = 60_000;

/**
 * Takes PostgreSQL away in the middle of an export over HTTP/1.0, in which only a reset shows the reader that the file is
 * incomplete. The reader is curl, because Node.js takes a reset after unread bytes for the end of the connection.
 * @throws Error if the reader takes a part of the file for the whole
 */
export async function cutExport({ apis, postgres, toPostgres }: Deployment, random: Random): Promise<void> {
  const api = random.of(apis);
  await storeLargeEvents(api);
  const reader = spawn(
    'curl',
    ['--http1.0', '--silent', '--fail', `${api.url}/events/export?category=${CATEGORY}`],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  const ended = once(reader, 'close') as Promise<[number | null]>;
  await Promise.race([once(reader.stdout, 'readable'), ended]);
  if (random.chance(0.5)) await postgres.kill();
  else toPostgres.cut();
  let lines = 0;
  reader.stdout.on('data', (chunk: Buffer) => (lines += chunk.toString('latin1').split('\n').length - 1));
  const [code] = await ended;
  if (code === 0 ? lines !== REQUESTS * EVENTS_PER_REQUEST : lines === 0)
    throw new Error(`A reader of HTTP/1.0 got ${lines} lines of an export, and ended with ${code}.`);
}

/** The same events in each round. */
async function storeLargeEvents(api: TheEye): Promise<void> {
  const data = { text: 'x'.repeat(TEXT_LENGTH) };
  for (let request = 0; request < REQUESTS; request++) {
    const sessions = Array.from(
      { length: EVENTS_PER_REQUEST },
      (_, index) => `${CATEGORY}-${request}-${index}`,
    );
    await api.store(sessions.map((session_id) => anEvent({ session_id, category: CATEGORY, data })));
  }
}
