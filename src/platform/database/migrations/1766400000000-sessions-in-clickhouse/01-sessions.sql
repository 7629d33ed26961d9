-- ClickHouse sums up the sessions: a projection of the copied events. Nothing of them is kept here any more.

-- Whoever reads or stores events waits for this, and behind it. If a reader holds the table for long, this attempt fails, and
-- others go on until the next one. Accepting events does not need PostgreSQL.
SET LOCAL lock_timeout = '3s';
LOCK TABLE events IN ACCESS EXCLUSIVE MODE;

DROP TRIGGER events_session_stored ON events;
DROP TRIGGER events_session_removed ON events;
DROP TRIGGER events_session_emptied ON events;
DROP FUNCTION note_stored_sessions, note_removed_sessions, forget_sessions, fold_sessions, rebuild_sessions;
DROP VIEW pending_sessions;
DROP TABLE sessions, session_lists, session_changes;
DROP TYPE event_source;
