-- Computes all counts from the events, in chunks. Consistent in a REPEATABLE READ transaction.

CREATE FUNCTION rebuild_event_counts() RETURNS void LANGUAGE plpgsql SET work_mem = '64MB' AS $$
  DECLARE
    first timestamptz := '-infinity';
    next timestamptz;
  BEGIN
    DELETE FROM event_counts;
    DELETE FROM event_count_changes;
    WHILE first < 'infinity' LOOP
      next := coalesce(
        (SELECT date_trunc('minute', timestamp, 'UTC') + interval '1 minute'
         FROM events WHERE timestamp >= first ORDER BY timestamp OFFSET 250000 LIMIT 1),
        'infinity'
      );
      PERFORM fold_event_counts(array_agg(ROW (minute, application, category, name, count)::event_count_changes))
      FROM (
        SELECT date_trunc('minute', timestamp AT TIME ZONE 'UTC') AS minute, application, category, name, count(*)
        FROM events
        WHERE timestamp >= first AND timestamp < next
        GROUP BY 1, 2, 3, 4
      ) AS counted;
      first := next;
    END LOOP;
  END
$$;
