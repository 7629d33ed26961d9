CREATE FUNCTION note_event_counts() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    INSERT INTO event_count_changes (minute, application, category, name, count)
    SELECT date_trunc('minute', timestamp AT TIME ZONE 'UTC'), application, category, name,
      CASE TG_OP WHEN 'INSERT' THEN count(*) ELSE -count(*) END
    FROM changed
    GROUP BY 1, 2, 3, 4;
    RETURN NULL;
  END
$$;
