-- Triggers of a statement, not of a row: they read all rows that the statement changed at once.

CREATE TRIGGER events_session_stored AFTER INSERT ON events
REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION note_stored_sessions();

CREATE TRIGGER events_session_removed AFTER DELETE ON events
REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION note_removed_sessions();

CREATE TRIGGER events_session_emptied AFTER TRUNCATE ON events
FOR EACH STATEMENT EXECUTE FUNCTION forget_sessions();

CREATE TRIGGER events_count_stored AFTER INSERT ON events
REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION note_event_counts();

CREATE TRIGGER events_count_removed AFTER DELETE ON events
REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION note_event_counts();

CREATE TRIGGER events_count_emptied AFTER TRUNCATE ON events
FOR EACH STATEMENT EXECUTE FUNCTION forget_event_counts();
