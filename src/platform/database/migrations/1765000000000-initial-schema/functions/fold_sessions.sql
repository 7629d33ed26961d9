-- Applies some of the deltas to the session summaries, in one statement, so that all parts see one snapshot.
-- Returns the number of deltas applied.

CREATE FUNCTION fold_sessions(at_once int) RETURNS int LANGUAGE plpgsql AS $$
  DECLARE
    changes int;
  BEGIN
    WITH taken AS (
      DELETE FROM session_changes WHERE ctid = ANY (ARRAY(
        (SELECT ctid FROM session_changes LIMIT at_once)
        UNION
        SELECT ctid FROM session_changes
        WHERE (session_id IN (SELECT session_id FROM session_changes WHERE events IS NULL)) IS TRUE
      )) RETURNING *
    ),
    merged AS MATERIALIZED (
      SELECT *, (last, id) IS DISTINCT FROM (last_before, id_before) AS moved FROM (
        SELECT
          changed.session_id,
          coalesce((read.state).first, least(changed.first, before.first)) AS first,
          coalesce((read.state).last, greatest(changed.last, before.last)) AS last,
          CASE
            WHEN anew THEN (read.state).id
            WHEN (before.last, before.id) > (changed.last, changed.id) THEN before.id
            ELSE changed.id
          END AS id,
          CASE WHEN anew THEN (read.state).events ELSE changed.events + coalesce(before.events, 0) END AS events,
          CASE
            WHEN anew THEN (read.state).sources
            WHEN before.sources IS NULL THEN changed.sources
            WHEN before.sources @> changed.sources THEN before.sources
            ELSE ARRAY(SELECT DISTINCT source FROM unnest(changed.sources || before.sources) AS source)
          END AS sources,
          anew,
          before.last AS last_before,
          before.id AS id_before,
          before.sources AS sources_before
        FROM (
          SELECT session_id, min(first) AS first, max(last) AS last, (array_agg(id ORDER BY last DESC, id DESC))[1] AS id,
            sum(events)::bigint AS events, array_agg(DISTINCT ROW (application, category)::event_source) AS sources,
            bool_or(events IS NULL) AS anew
          FROM taken
          GROUP BY session_id
        ) AS changed
        LEFT JOIN LATERAL (SELECT * FROM sessions WHERE session_id = changed.session_id OFFSET 0) AS before ON true
        LEFT JOIN LATERAL (
          SELECT CASE WHEN anew THEN (
            SELECT ROW (
              changed.session_id, min(timestamp), max(timestamp), (array_agg(events.id ORDER BY timestamp DESC, events.id DESC))[1],
              count(*), array_agg(DISTINCT ROW (application, category)::event_source)
            )::sessions
            FROM events
            WHERE session_id = changed.session_id
          ) END AS state
          OFFSET 0
        ) AS read ON true) AS merged
    ),
    stored AS (
      INSERT INTO sessions (session_id, first, last, id, events, sources)
      SELECT session_id, first, last, id, events, sources FROM merged WHERE events > 0 ORDER BY session_id
      ON CONFLICT (session_id) DO UPDATE SET
        first = excluded.first, last = excluded.last, id = excluded.id, events = excluded.events, sources = excluded.sources
    ),
    removed AS (
      DELETE FROM sessions WHERE session_id = ANY (ARRAY(SELECT session_id FROM merged WHERE events = 0))
    ),
    unlisted AS (
      DELETE FROM session_lists WHERE ctid = ANY (ARRAY(
        SELECT place.ctid
        FROM (
          SELECT DISTINCT session_id, last_before, id_before, source.application, CASE WHEN by_category THEN source.category ELSE '' END AS category
          FROM merged, unnest(sources_before) AS source, (VALUES (true), (false)) AS list (by_category)
          WHERE moved OR (anew AND NOT EXISTS (
SELECT FROM unnest(sources) AS one
WHERE one.application = source.application AND (one.category = source.category OR NOT by_category)
))
        ) AS old,
        LATERAL (
          SELECT ctid FROM session_lists
          WHERE (application, category, last, id) = (old.application, old.category, last_before, id_before)
            AND session_id = old.session_id
          OFFSET 0
        ) AS place
      ))
    ),
    listed AS (
      INSERT INTO session_lists (application, category, last, id, session_id)
      SELECT DISTINCT source.application, CASE WHEN by_category THEN source.category ELSE '' END AS category, last, id, session_id
      FROM merged, unnest(sources) AS source, (VALUES (true), (false)) AS list (by_category)
      WHERE moved OR NOT EXISTS (
SELECT FROM unnest(sources_before) AS one
WHERE one.application = source.application AND (one.category = source.category OR NOT by_category)
)
      ORDER BY 1, 2, 3, 4
    )
    SELECT count(*) INTO changes FROM taken;
    RETURN changes;
  END
$$;
