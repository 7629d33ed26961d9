/** Events of one batch, and of one that removes them. */
export const MAX_BATCH_EVENTS = 10_000;
const MAX_REMOVED_EVENTS = 5000;

/**
 * Bytes of the payloads of a batch, as text, of which ClickHouse needs up to fifteen times the memory. PostgreSQL stores them in less: it
 * compresses a repeated text to a hundredth. The trigger that fills the log cuts its entries by the same number.
 */
export const MAX_BATCH_BYTES = 4 * 1024 * 1024;

/** Entries of the log that are looked at for a batch. */
export const MAX_ENTRIES = 10_000;

/**
 * The oldest of the permitted entries, as many of one kind as fit into a batch, as the row `taken`, with the moment before
 * which there are no others.
 */
export const takenEntries = (isPermitted: string): string => `
  WITH visible AS (
    SELECT seq, kind, events, bytes, at, is_permitted,
      min(seq) FILTER (WHERE is_permitted) OVER () AS first
    FROM (
      SELECT seq, kind, events, bytes, at, ${isPermitted} AS is_permitted
      FROM replication_log ORDER BY seq LIMIT ${MAX_ENTRIES}
    ) AS entries
  ),
  of_kind AS (
    SELECT visible.*, (SELECT kind FROM visible WHERE seq = first LIMIT 1) AS first_kind FROM visible
  ),
  summed AS (
    SELECT seq, at, first_kind,
      is_permitted AND count(*) FILTER (WHERE is_permitted AND kind <> first_kind) OVER before = 0
        AND (
          count(*) FILTER (WHERE is_permitted) OVER before = 1
          OR sum(bytes) FILTER (WHERE is_permitted) OVER before <= ${MAX_BATCH_BYTES}
            AND sum(events) FILTER (WHERE is_permitted) OVER before
              <= CASE first_kind WHEN 'removed' THEN ${MAX_REMOVED_EVENTS} ELSE ${MAX_BATCH_EVENTS} END
        ) AS is_taken
    FROM of_kind
    WINDOW before AS (ORDER BY seq)
  ),
  taken AS (
    SELECT min(first_kind) AS first_kind, array_agg(seq ORDER BY seq) FILTER (WHERE is_taken) AS seqs,
      -- The entries beyond MAX_ENTRIES can be a moment older than those before.
      least(statement_timestamp(), min(at) FILTER (WHERE NOT is_taken) - interval '1 second') AS as_of
    FROM summed
  )`;
