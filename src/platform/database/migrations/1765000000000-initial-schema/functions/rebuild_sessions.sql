-- Computes all session summaries from the events. Consistent in a REPEATABLE READ transaction.

CREATE FUNCTION rebuild_sessions() RETURNS void LANGUAGE plpgsql SET work_mem = '64MB' AS $$
  BEGIN
    DELETE FROM session_lists;
    DELETE FROM sessions;
    DELETE FROM session_changes;
    INSERT INTO sessions (session_id, first, last, id, events, sources)
    SELECT session_id, min(first), max(last), (array_agg(id ORDER BY last DESC, id DESC))[1], sum(events),
      array_agg(ROW (application, category)::event_source)
    FROM (
      SELECT session_id, application, category, min(timestamp) AS first, max(timestamp) AS last,
        (array_agg(id ORDER BY timestamp DESC, id DESC))[1] AS id, count(*) AS events
      FROM events
      GROUP BY session_id, application, category
    ) AS parts
    GROUP BY session_id;
    INSERT INTO session_lists (application, category, last, id, session_id)
    SELECT DISTINCT source.application, CASE WHEN by_category THEN source.category ELSE '' END AS category, last, id, session_id
    FROM sessions, unnest(sources) AS source, (VALUES (true), (false)) AS list (by_category)
    ORDER BY 1, 2, 3, 4;
  END
$$;
