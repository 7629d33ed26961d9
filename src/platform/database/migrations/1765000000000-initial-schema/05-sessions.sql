-- Session summaries. Triggers append deltas to session_changes, which has no index, so that concurrent workers do not wait
-- for each other; fold_sessions applies them to sessions and session_lists. A delta without events means that events were
-- removed, so the session is read again.
-- session_lists holds a session once for each application, and once for each application and category ('' for all), at the
-- time of its last event. A page of sessions is read from its index.

CREATE TYPE event_source AS (application text, category text);

CREATE TABLE sessions (
  session_id text PRIMARY KEY,
  first timestamptz(6) NOT NULL,
  last timestamptz(6) NOT NULL,
  id uuid NOT NULL,
  events bigint NOT NULL,
  sources event_source[] NOT NULL
) WITH (fillfactor = 80);

CREATE TABLE session_lists (
  application text NOT NULL,
  category text NOT NULL,
  last timestamptz(6) NOT NULL,
  id uuid NOT NULL,
  session_id text NOT NULL
);

CREATE INDEX session_lists_place ON session_lists (application, category, last, id);

-- The categories of an application are correlated; the estimated counts rely on this.
CREATE STATISTICS session_lists_sources (mcv) ON application, category FROM session_lists;

CREATE TABLE session_changes (
  session_id text NOT NULL,
  application text,
  category text,
  first timestamptz(6),
  last timestamptz(6),
  id uuid,
  events bigint
);

CREATE VIEW pending_sessions AS 
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
  FROM session_changes
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
) AS read ON true;
