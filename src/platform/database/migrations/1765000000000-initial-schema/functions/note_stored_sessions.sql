CREATE FUNCTION note_stored_sessions() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    INSERT INTO session_changes (session_id, application, category, first, last, id, events)
    SELECT session_id, application, category, min(timestamp), max(timestamp),
      (array_agg(id ORDER BY timestamp DESC, id DESC))[1], count(*)
    FROM changed
    GROUP BY session_id, application, category;
    RETURN NULL;
  END
$$;
