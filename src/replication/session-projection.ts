/** Microseconds from the year 0001, the first of a timestamp, to 1970. */
export const YEAR_ONE_MICROSECONDS = 62_135_596_800_000_000n;

/** Bytes of a key in the texts of SESSION_AGGREGATES.entry and exit: its timestamp and its id. */
export const KEY_BYTES = 24;

/**
 * An event as a text whose order is that of (timestamp, id) in PostgreSQL, where ClickHouse sorts UUIDs by their second
 * half: 8 bytes of the timestamp, the 16 of the id, then application, category and name, none of which has a U+0000. The
 * states of its minimum and maximum are small; those of a tuple take ten times the memory.
 */
const ORDERED_EVENT =
  `concat(reinterpret(byteSwap(toUInt64(timestamp + ${YEAR_ONE_MICROSECONDS})), 'FixedString(8)'), UUIDToNum(id), ` +
  String.raw`application, '\0', category, '\0', name)`;

/** The place of a session in the projection. Different sessions may share it. */
export const SESSION_HASH = 'cityHash64(session_id)';

/** How many values it can have. */
export const SESSION_HASHES = 2n ** 64n;

/** One session in so many is looked at for an estimate; by a hash, so that the sample is fair. */
export const SESSION_SAMPLE = 64;
/** The largest SESSION_HASH of the sample. */
export const LAST_SAMPLED_HASH = (SESSION_HASHES / BigInt(SESSION_SAMPLE) - 1n).toString();

/**
 * What the projection keeps of a session. ClickHouse reads it instead of the events where a statement has no other
 * aggregates, groups by `session_id` or SESSION_HASH, and has conditions on these and `application` only.
 */
export const SESSION_AGGREGATES = {
  events: 'count()',
  /** Timestamps. */
  first: 'min(timestamp)',
  last: 'max(timestamp)',
  /** The first and the last event, as ORDERED_EVENT. */
  entry: `min(${ORDERED_EVENT})`,
  exit: `max(${ORDERED_EVENT})`,
  applications: 'groupUniqArray(application)',
  categories: 'groupUniqArray(category)',
} as const;

/**
 * Sums up the events of each session and application. A removal makes ClickHouse build it again for the part that it
 * concerns. Its granules are small, and so are the blocks that ClickHouse compresses (min_compress_block_size), because a page of
 * sessions reads one for each session.
 */
export const SESSION_PROJECTION = `PROJECTION sessions (
    SELECT ${SESSION_HASH}, session_id, application, ${Object.values(SESSION_AGGREGATES).join(', ')}
    GROUP BY ${SESSION_HASH}, session_id, application
  ) WITH SETTINGS (index_granularity = 256)`;
