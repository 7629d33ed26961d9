import { TheEye } from './the-eye.js';

/** Those that start or run, with folders of their own. */
const started = new Set<Promise<TheEye>>();

/** Measures a fresh one, as `npm start` starts it, on a port and in a folder of its own. */
export async function onTheEye<Result>(
  measure: (eye: TheEye) => Promise<Result>,
  env: Record<string, string> = {},
): Promise<Result> {
  const starting = TheEye.start(env);
  started.add(starting);
  const eye = await starting;
  try {
    return await measure(eye);
  } finally {
    await eye.close();
    started.delete(starting);
  }
}

/** Ends them and removes their folders, which may hold ten million events. */
export async function endAll(): Promise<void> {
  await Promise.allSettled([...started].map(async (starting) => (await starting).close()));
}

/** Runs one more process on the same PostgreSQL and Redis, for as long as the work takes. */
export async function beside<Result>(
  { dataDir }: TheEye,
  env: Record<string, string>,
  work: (other: TheEye) => Promise<Result>,
): Promise<Result> {
  const other = await TheEye.start({ ...env, DATA_DIR: dataDir });
  try {
    return await work(other);
  } finally {
    await other.end();
  }
}

/** Rows that are stored. */
export async function stored(eye: TheEye): Promise<number> {
  const [row] = await eye.sql<{ stored: number }>('SELECT count(*)::int AS stored FROM events');
  return row?.stored ?? 0;
}

/**
 * Rows that are stored: no fewer than were accepted, since a figure for events that were not stored would be worth nothing.
 * There may be more: those of requests that the end of the load cut off, or that were answered 503 for being late.
 */
export async function storedAtLeast(eye: TheEye, accepted: number): Promise<number> {
  const rows = await stored(eye);
  if (rows < accepted) throw new Error(`Only ${rows} of ${accepted} events were stored.`);
  return rows;
}
