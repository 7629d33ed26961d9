-- Drops the prefix sums: ClickHouse counts events. What remains is which types the events of each application use, because
-- their number is limited.
-- types_in_use has no unique index, so that a transaction with a new type never waits for another one with the same type.
-- Then a type is there twice, which its reader does not mind. A type stays when its events are deleted one by one.

-- Whoever reads or stores events waits for this, and behind it. If a reader holds the table for long, this attempt fails, and
-- others go on until the next one. Accepting events does not need PostgreSQL.
SET LOCAL lock_timeout = '3s';
LOCK TABLE events IN ACCESS EXCLUSIVE MODE;

CREATE TABLE types_in_use (
  application text NOT NULL,
  category text NOT NULL,
  name text NOT NULL
);

CREATE INDEX types_in_use_application ON types_in_use (application, category, name);

INSERT INTO types_in_use (application, category, name)
SELECT application, category, name FROM event_counts WHERE grain = 'type' AND block = 'ever'
UNION
SELECT application, category, name FROM event_count_changes;

DROP TRIGGER events_count_stored ON events;
DROP TRIGGER events_count_removed ON events;
DROP TRIGGER events_count_emptied ON events;

DROP FUNCTION note_event_counts, forget_event_counts, rebuild_event_counts, fold_event_counts, event_count_blocks;
DROP TABLE event_count_changes, event_counts;
DROP TYPE event_count_grain, event_count_block;

CREATE FUNCTION note_types_in_use() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    INSERT INTO types_in_use (application, category, name)
    SELECT application, category, name
    FROM (SELECT DISTINCT application, category, name FROM changed) AS types
    WHERE NOT EXISTS (
      SELECT FROM types_in_use AS known
      WHERE (known.application, known.category, known.name) = (types.application, types.category, types.name)
      -- Keeps this a look-up in the index for each type.
      OFFSET 0
    );
    RETURN NULL;
  END
$$;

CREATE FUNCTION forget_types_in_use() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    TRUNCATE types_in_use;
    RETURN NULL;
  END
$$;

CREATE TRIGGER events_types_stored AFTER INSERT ON events
REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION note_types_in_use();

CREATE TRIGGER events_types_emptied AFTER TRUNCATE ON events
FOR EACH STATEMENT EXECUTE FUNCTION forget_types_in_use();
