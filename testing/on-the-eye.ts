import { TheEye } from './the-eye.js';

/** The Eyes that start or run, each with a folder of its own. */
const started = new Set<Promise<TheEye>>();

/** Starts an Eye as `npm start` does, on a port and in a folder of its own, and closes it after the measurement. */
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

/** Closes all Eyes and removes their folders, which may hold ten million events. */
export async function endAll(): Promise<void> {
  await Promise.allSettled([...started].map(async (starting) => (await starting).close()));
}

/** Runs one more process on the same PostgreSQL and Redis, for as long as the work takes. */
export async function withPeer<Result>(
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

/** The number of stored events. */
export async function stored(eye: TheEye): Promise<number> {
  const [row] = await eye.sql<{ stored: number }>('SELECT count(*)::int AS stored FROM events');
  return row?.stored ?? 0;
}

/**
 * The number of stored events. It may exceed the number of accepted ones: by the events of requests that the end of the load
 * cut off, or that got a 503 because they were late.
 * @throws Error if fewer are stored than were accepted, because a figure for events that were not stored is worthless
 */
export async function storedAtLeast(eye: TheEye, accepted: number): Promise<number> {
  const rows = await stored(eye);
  if (rows < accepted) throw new Error(`Only ${rows} of ${accepted} events were stored.`);
  return rows;
}
