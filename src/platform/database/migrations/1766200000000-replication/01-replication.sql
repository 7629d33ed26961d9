-- What has to be copied to ClickHouse, and how far the copy is.
-- Triggers of a statement append the keys of the events that it stored or removed to replication_log, in its transaction.
-- A trigger runs when the statement has changed its rows, so the entries of one event have the order of its changes, and an
-- entry is never visible before those that it depends on. The copier takes a prefix, by seq, of the entries that it sees,
-- and deletes what it has copied; an entry that is committed late with a smaller seq is taken the next time.

CREATE TABLE replication_log (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('stored', 'removed', 'emptied')),
  ids uuid[] NOT NULL DEFAULT '{}',
  timestamps timestamptz[] NOT NULL DEFAULT '{}',
  events int NOT NULL DEFAULT 0,
  bytes bigint NOT NULL DEFAULT 0,
  at timestamptz(6) NOT NULL DEFAULT clock_timestamp()
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_analyze_scale_factor = 0,
  autovacuum_analyze_threshold = 1000000000);

-- Random bits do not compress.
ALTER TABLE replication_log ALTER COLUMN ids SET STORAGE EXTERNAL;

-- One row. copy is the copy that answers questions, null until the first is complete; next_* is the copy that is being made,
-- with the key up to which it holds all events. batch_* is the batch in flight, which is repeated until ClickHouse has it.
-- source tells the copies of this database from those of another one in the same ClickHouse.
CREATE TABLE replication_state (
  single_row boolean PRIMARY KEY DEFAULT true CHECK (single_row),
  source uuid NOT NULL DEFAULT gen_random_uuid(),
  copy uuid,
  copy_schema text,
  next_copy uuid,
  next_schema text,
  next_timestamp timestamptz(6),
  next_id uuid,
  batch bigint NOT NULL DEFAULT 0,
  batch_kind text CHECK (batch_kind IN ('stored', 'removed', 'emptied', 'filled', 'completed')),
  batch_seqs bigint[],
  batch_timestamp timestamptz(6),
  batch_id uuid,
  batch_copy uuid,
  batch_as_of timestamptz(6),
  as_of timestamptz(6),
  claimed_by uuid,
  claimed_until timestamptz(6) NOT NULL DEFAULT '-infinity'
) WITH (fillfactor = 50);

INSERT INTO replication_state DEFAULT VALUES;

CREATE FUNCTION log_changed_events() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    INSERT INTO replication_log (kind, ids, timestamps, events, bytes)
    SELECT TG_ARGV[0], ids[first : first + 999], timestamps[first : first + 999],
      least(cardinality(ids) - first + 1, 1000), bytes * least(cardinality(ids) - first + 1, 1000) / cardinality(ids)
    FROM
      (SELECT array_agg(id) AS ids, array_agg(timestamp) AS timestamps, sum(pg_column_size(data)) AS bytes FROM changed) AS whole,
      generate_series(1, cardinality(ids), 1000) AS first;
    RETURN NULL;
  END
$$;

CREATE FUNCTION log_emptied_events() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    INSERT INTO replication_log (kind) VALUES ('emptied');
    RETURN NULL;
  END
$$;

CREATE TRIGGER events_replication_stored AFTER INSERT ON events
REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION log_changed_events('stored');

CREATE TRIGGER events_replication_removed AFTER DELETE ON events
REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION log_changed_events('removed');

-- Triggers of one event run in the order of their names: what an update replaces is removed before it is stored.
CREATE TRIGGER events_replication_updated_1_removed AFTER UPDATE ON events
REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION log_changed_events('removed');

CREATE TRIGGER events_replication_updated_2_stored AFTER UPDATE ON events
REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION log_changed_events('stored');

CREATE TRIGGER events_replication_emptied AFTER TRUNCATE ON events
FOR EACH STATEMENT EXECUTE FUNCTION log_emptied_events();
