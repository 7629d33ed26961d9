CREATE FUNCTION forget_event_counts() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    TRUNCATE event_count_changes, event_counts;
    RETURN NULL;
  END
$$;
