-- Drops the indexes that only questions needed: ClickHouse finds the events of a name and of a type.
-- The others serve the lists that work while ClickHouse is away: of a session, a category or an application, and all events.

-- Whoever reads or stores events waits for this, and behind it. If a reader holds the table for long, this attempt fails, and
-- others go on until the next one. Accepting events does not need PostgreSQL.
SET LOCAL lock_timeout = '3s';

DROP INDEX events_name, events_type;
