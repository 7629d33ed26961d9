import { createHash } from 'node:crypto';
import type { TheEye } from '../../testing/the-eye.js';
import { logProgress } from '../support/progress.js';

/** Rows per INSERT. */
const CHUNK_SIZE = 50_000;
const CONNECTIONS = 2;

export const CATEGORIES = 20;
export const NAMES = 200;
export const EVENTS_PER_SESSION = 20;
/** Every seventh of the first 7,000 events has this category, and no later one. */
export const RARE_CATEGORY = 'rare';
const RARE_CATEGORY_EVENTS = 7000;
/** Every 83rd event belongs to this application, across all types. */
export const RARE_APPLICATION = 'seldom';
const RARE_APPLICATION_INTERVAL = 83;

/** Every table size covers this year, so that larger tables are denser. */
export const YEAR = 2024;
export const DAYS = 366;

/**
 * Inserts events spread evenly over a year, in sessions of twenty. Each name belongs to one category.
 * $1 and $2: the first and the last event; $3: the total number of events.
 */
export const FILL = `
  INSERT INTO events (id, application, session_id, category, name, data, timestamp, data_sha256)
  SELECT
    (lpad(to_hex(floor(extract(epoch FROM at) * 1000)::bigint), 12, '0') || '8' || substr(digest, 1, 3) || '8' ||
      substr(digest, 4, 15))::uuid,
    CASE WHEN event % ${RARE_APPLICATION_INTERVAL} = 0 THEN '${RARE_APPLICATION}' ELSE 'default' END,
    md5((event / ${EVENTS_PER_SESSION})::text),
    CASE WHEN event < ${RARE_CATEGORY_EVENTS} AND event % 7 = 0 THEN '${RARE_CATEGORY}' ELSE 'category-' || type % ${CATEGORIES} END,
    'name-' || type,
    jsonb_build_object('host', 'www.example.com', 'path', '/products/' || event % 50, 'element', 'add to basket',
      'price', 19.99, 'tags', jsonb_build_array('spring', 'sale')),
    at,
    sha256(digest::bytea)
  FROM generate_series($1::int, $2::int) AS event,
    LATERAL (SELECT
      timestamptz '${YEAR}-01-01Z' + interval '1 second' * (event * ${DAYS * 86_400}.0::float8 / $3::int) AS at,
      md5(event::text) AS digest,
      event * 7919::bigint % ${NAMES} AS type) AS made`;

/** Empties the table and fills it again. */
export async function fill(eye: TheEye, events: number): Promise<void> {
  await eye.sql('TRUNCATE events');
  let filled = 0;
  const work = async (): Promise<void> => {
    while (filled < events) {
      const start = filled;
      filled = Math.min(filled + CHUNK_SIZE, events);
      if (start % (CHUNK_SIZE * 20) === 0) logProgress(`filling from event ${start.toLocaleString('en')}`);
      await eye.sql(FILL, [start, filled - 1, events]);
    }
  };
  // ClickHouse needs no copy of them: PostgreSQL answers.
  await eye.sql('ALTER TABLE events DISABLE TRIGGER USER');
  await Promise.all(Array.from({ length: CONNECTIONS }, work));
  await eye.sql('ALTER TABLE events ENABLE TRIGGER USER');
  await eye.sqlAsSuperuser('VACUUM ANALYZE');
  await eye.sqlAsSuperuser('CHECKPOINT');
}

/** The id of the nth session. */
export const sessionId = (session: number): string => createHash('md5').update(String(session)).digest('hex');
