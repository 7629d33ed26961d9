CREATE FUNCTION note_removed_sessions() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    INSERT INTO session_changes (session_id) SELECT DISTINCT session_id FROM changed;
    RETURN NULL;
  END
$$;
