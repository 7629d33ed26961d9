import type { TheEye } from '../../testing/the-eye.js';

/** A row of the table `events`. */
export interface StoredEvent extends Record<string, unknown> {
  application: string;
  session_id: string;
  category: string;
  name: string;
  data: any;
  timestamp: Date;
  clock_skew_ms: number | null;
}

/** @param condition in SQL, of the value `$1`; an ORDER BY may follow it */
export const storedWhere = (eye: TheEye, condition: string, value: unknown): Promise<StoredEvent[]> =>
  eye.sql<StoredEvent>(`SELECT * FROM events WHERE ${condition}`, [value]);

/** Like `storedWhere()`, once every accepted event is stored. */
export async function allStoredWhere(eye: TheEye, condition: string, value: unknown): Promise<StoredEvent[]> {
  await eye.drained();
  return storedWhere(eye, condition, value);
}

/**
 * The number of stored events, and of their ids: less if one is stored twice.
 * @param id the property of `data` by which a client identifies an event
 * @param condition in SQL, of the value `$1`
 */
export async function countStored(
  eye: TheEye,
  id: string,
  condition: string,
  value: string,
): Promise<unknown> {
  const [row] = await eye.sql(
    `SELECT count(*)::int AS events, count(DISTINCT data->>'${id}')::int AS ids FROM events WHERE ${condition}`,
    [value],
  );
  return row;
}
