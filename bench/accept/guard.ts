import { runCommand } from '../../testing/commands.js';
import { bearer } from '../../testing/keys.js';
import type { TheEye } from '../../testing/the-eye.js';
import { makeEvent } from '../support/events.js';

/** Matches the event of a single-event request. */
const SCHEMA = {
  properties: {
    host: { type: 'string', maxLength: 255 },
    path: { type: 'string', pattern: '^/' },
    element: { type: 'string' },
    price: { type: 'number', minimum: 0 },
    tags: { type: 'array', items: { type: 'string' } },
  },
  required: ['host', 'path'],
  additionalProperties: false,
};

/**
 * Enables every check: a key with a rate limit for each request, and an enforced schema for each event.
 * @returns the headers that carry the key
 */
export async function requireKeyAndSchema(eye: TheEye): Promise<Record<string, string>> {
  const headers = bearer(await createKey(eye));
  const { category, name } = makeEvent(0) as { category: string; name: string };
  const path = `/event-types/${encodeURIComponent(category)}/${encodeURIComponent(name)}/`;
  const { status } = await eye.request('PUT', path, {
    body: JSON.stringify({ mode: 'enforce', schema: SCHEMA }),
    headers: { ...headers, 'content-type': 'application/json' },
  });
  if (status !== 201) throw new Error(`The schema was not accepted: ${status}`);
  return headers;
}

async function createKey({ databaseUrl }: TheEye): Promise<string> {
  const options = ['--scope', 'admin', '--rate-limit', '900000000'];
  const { stdout, stderr } = await runCommand(
    { DATABASE_URL: databaseUrl },
    'applications',
    'create',
    'bench',
    ...options,
  );
  const key = /^Key\s+(\S+)/m.exec(stdout)?.[1];
  if (key === undefined) throw new Error(`No key:\n${stdout}${stderr}`);
  return key;
}
