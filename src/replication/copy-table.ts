import { SESSION_PROJECTION, YEAR_ONE_MICROSECONDS } from './session-projection.js';

/** Columns that the copier fills. `data` follows from `typed` where that is given, otherwise from `data_text`. */
export const COPIED_COLUMNS = [
  'id',
  'timestamp',
  'application',
  'category',
  'name',
  'session_id',
  'data_text',
  'typed',
  'batch',
] as const;

/** A length of time by which events are counted. The first period begins with the first valid timestamp. */
export class Period {
  /** The number of the period of an event, as SQL. Not below zero, because `intDiv` rounds towards zero. */
  readonly number: string;
  /** When the period of an event begins, in microseconds since 1970, as SQL. */
  readonly start: string;

  /** @param length in microseconds; a divisor of a day */
  constructor(readonly length: bigint) {
    this.number = `intDiv(timestamp + ${YEAR_ONE_MICROSECONDS}, ${length})`;
    this.start = `(${this.number} * ${length} - ${YEAR_ONE_MICROSECONDS})`;
  }

  /** The number of the first period that does not begin before a time in microseconds since 1970. */
  firstFrom(time: bigint): bigint {
    return (time + YEAR_ONE_MICROSECONDS + this.length - 1n) / this.length;
  }

  /** The number of the period that contains a time. */
  of(time: bigint): bigint {
    return (time + YEAR_ONE_MICROSECONDS) / this.length;
  }

  startOf(number: bigint): bigint {
    return number * this.length - YEAR_ONE_MICROSECONDS;
  }
}

/** A quarter of an hour: since 1972, the clocks of all time zones differ by whole quarters. */
export const QUARTER = new Period(900_000_000n);

/** A day in UTC. */
export const DAY = new Period(86_400_000_000n);

/** The projections of DEFINITION. */
export const PROJECTIONS = ['by_time', 'by_day', 'by_type', 'sessions'] as const;

const counts = (name: (typeof PROJECTIONS)[number], columns: string): string =>
  `PROJECTION ${name} (SELECT ${columns}, count() GROUP BY ${columns})`;

/**
 * A timestamp of the table as a DateTime64. That knows the years 1900 to 2299 only; other timestamps become the first or the
 * last moment of them, so that the order stays.
 */
export const dateTimeOf = (column: string): string =>
  `fromUnixTimestamp64Micro(least(greatest(${column}, -2208988800000000), 10413791999999999), 'UTC')`;

/**
 * The type of the payloads for questions. In each part, some paths have columns of their own, the most frequent ones after a merge, and
 * the others share some. By default, up to 1,024 paths have columns of their own, and a quarter of that in each array of objects. So
 * many take hundreds of megabytes while a batch of events with different keys is inserted, or its part is merged.
 * @see https://clickhouse.com/docs/sql-reference/data-types/newjson
 */
const DATA_TYPE = 'JSON(max_dynamic_paths=12, max_dynamic_types=4)';

/**
 * The definition of the copied events. There is no PARTITION BY, so that an insert is one part, whole or not at all.
 *
 * - `timestamp`: microseconds since 1970 in UTC, because DateTime64 knows the years 1900 to 2299 only.
 * - `data_text`: the payload exactly as PostgreSQL gives it out. `data` is its typed form, for questions;
 *   it is empty where ClickHouse cannot read the payload, so that one event does not hold up the others.
 * - `by_…`: how many events there are. ClickHouse reads such a projection in the place of the events if a statement needs no
 *   other columns and if that is less to read. Their first columns decide what is skipped: `by_type` is for chosen types, the
 *   others are for all of them.
 * - `batch`: the number of the batch that copied the event. It grows with time, so that a removal that arrives late spares
 *   what was stored after it, and a repeated batch is recognised.
 * - A removal only marks rows, and drops the projections of their parts; CopyRepository.erase() rewrites those parts later. That
 *   costs as much as a part is large, so parts are bounded, and many of them are no reason to delay inserts.
 * - The index `time` finds the events of a range that is given as a DateTime64.
 */
export const DEFINITION = `(
  id UUID CODEC(ZSTD(1)),
  timestamp Int64 CODEC(Delta, ZSTD(1)),
  application LowCardinality(String),
  category LowCardinality(String),
  name LowCardinality(String),
  session_id String CODEC(ZSTD(3)),
  typed String EPHEMERAL,
  data ${DATA_TYPE} DEFAULT ifNull(accurateCastOrNull(if(typed = '', data_text, typed), '${DATA_TYPE}'), CAST('{}', '${DATA_TYPE}')),
  data_text String CODEC(ZSTD(3)),
  batch UInt64 CODEC(Delta, ZSTD(1)),
  INDEX time ${dateTimeOf('timestamp')} TYPE minmax GRANULARITY 1,
  ${counts('by_time', `${QUARTER.number}, application, category`)},
  ${counts('by_day', `${DAY.number}, application, category, name`)},
  ${counts('by_type', `name, category, application, ${QUARTER.number}`)},
  ${SESSION_PROJECTION}
) ENGINE = MergeTree ORDER BY (timestamp, id)
SETTINGS fsync_after_insert = 1, non_replicated_deduplication_window = 10000, lightweight_mutation_projection_mode = 'drop',
  max_bytes_to_merge_at_max_space_in_pool = 536870912, max_avg_part_size_for_too_many_parts = 67108864,
  default_compression_codec = 'ZSTD(1)', min_compress_block_size = 16384`;

/** The table that answers questions. */
export const EVENTS = 'events';

/** The table of a copy until it is complete. */
export const tableOf = (copy: string): string => `${EVENTS}_${copy.slice(0, 8)}`;

/** What the comment of a table says. */
export interface CopyMark {
  /** The database in PostgreSQL that is copied (replication_state.source). */
  readonly source: string;
  /** Undefined for the empty table that stands where no copy is complete yet. */
  readonly copy?: string;
}

export const createTable = (table: string, mark: CopyMark): string =>
  `CREATE TABLE IF NOT EXISTS ${table} ${DEFINITION} COMMENT '${JSON.stringify(mark)}'`;

/** @returns undefined for a table of somebody else */
export function parseMark(comment: string): CopyMark | undefined {
  try {
    const mark = JSON.parse(comment) as Partial<CopyMark> | null;
    return typeof mark?.source === 'string' ? (mark as CopyMark) : undefined;
  } catch {
    return undefined;
  }
}
