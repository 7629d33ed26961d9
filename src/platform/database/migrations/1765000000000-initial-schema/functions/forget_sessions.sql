CREATE FUNCTION forget_sessions() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    TRUNCATE sessions, session_lists, session_changes;
    RETURN NULL;
  END
$$;
