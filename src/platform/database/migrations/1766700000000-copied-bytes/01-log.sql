-- An entry of replication_log names at most a thousand events, whose payloads begin within the same 4 MiB of the statement: ClickHouse
-- has the memory for the events of an entry. The bytes are those of the text that is copied: 1e300 takes 16 bytes in jsonb, and 301 as text.
CREATE OR REPLACE FUNCTION log_changed_events() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    INSERT INTO replication_log (kind, ids, timestamps, events, bytes)
    SELECT TG_ARGV[0], array_agg(id), array_agg(timestamp), count(*), sum(bytes)
    FROM (
      SELECT id, timestamp, bytes,
        (row_number() OVER so_far - 1) / 1000 AS thousand, (sum(bytes) OVER so_far - bytes) / 4194304 AS part
      FROM (
        SELECT id, timestamp, CASE TG_ARGV[0] WHEN 'stored' THEN octet_length(data::text) ELSE 0 END AS bytes FROM changed
      ) AS measured
      WINDOW so_far AS (ROWS UNBOUNDED PRECEDING)
    ) AS cut
    GROUP BY thousand, part;
    RETURN NULL;
  END
$$;
