import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What sessions are as their events say, merged with what is kept of them; of a session that lost events, read anew.
 * @param changes where changes come from, as rows of session_changes
 */
const merged = (changes: string): string => `
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
    FROM ${changes}
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
  ) AS read ON true`;

/** The lists that a session with a source stands in: of its application, and of that and its category; '' stands for all. */
const LISTS = `(VALUES (true), (false)) AS list (by_category)`;
const listed = (source: string): string =>
  `${source}.application, CASE WHEN by_category THEN ${source}.category ELSE '' END AS category`;

/** The list that `source` stands in is that of none of these. */
const isNotAmong = (sources: string): string => `NOT EXISTS (
  SELECT FROM unnest(${sources}) AS one
  WHERE one.application = source.application AND (one.category = source.category OR NOT by_category)
)`;

/**
 * Folds some of the changes, in one statement, so that all of it sees the same moment. `IS TRUE` makes PostgreSQL look the
 * removed sessions up in a hash table: of a table that is filled and emptied it rarely knows how full it is, and takes it
 * for empty, where it would read all changes once more for each of them.
 */
export const FOLD_SESSIONS = `
  CREATE OR REPLACE FUNCTION fold_sessions(at_once int) RETURNS int LANGUAGE plpgsql AS $$
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
        SELECT *, (last, id) IS DISTINCT FROM (last_before, id_before) AS moved FROM (${merged('taken')}) AS merged
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
            SELECT DISTINCT session_id, last_before, id_before, ${listed('source')}
            FROM merged, unnest(sources_before) AS source, ${LISTS}
            WHERE moved OR (anew AND ${isNotAmong('sources')})
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
        SELECT DISTINCT ${listed('source')}, last, id, session_id
        FROM merged, unnest(sources) AS source, ${LISTS}
        WHERE moved OR ${isNotAmong('sources_before')}
        ORDER BY 1, 2, 3, 4
      )
      SELECT count(*) INTO changes FROM taken;
      RETURN changes;
    END
  $$`;

/**
 * The sessions that there are, kept by the database itself as the counts of events are: what a statement changed is
 * appended to a table without an index, a row for each session, application and category in it, and folded in later.
 * Whoever reads adds up both. Where events were removed, their session is read anew (a change without `events`).
 *
 * `session_lists` holds a session in the list of each application that sent into it, and in those of its categories, at
 * the place of its last event: so a page is read off the index, for one application or merged from all, of which there
 * are few. The place moves with each event; the row of `sessions` stays, and none of its columns is in an index but the
 * identifier.
 */
export class CreateSessions1764350000000 implements MigrationInterface {
  name = 'CreateSessions1764350000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TYPE event_source AS (application text, category text)`);
    await runner.query(`
      CREATE TABLE sessions (
        session_id text PRIMARY KEY,
        first timestamptz(6) NOT NULL,
        last timestamptz(6) NOT NULL,
        id uuid NOT NULL,
        events bigint NOT NULL,
        sources event_source[] NOT NULL
      ) WITH (fillfactor = 80)`);
    await runner.query(`
      CREATE TABLE session_lists (
        application text NOT NULL,
        category text NOT NULL,
        last timestamptz(6) NOT NULL,
        id uuid NOT NULL,
        session_id text NOT NULL
      )`);
    await runner.query(`CREATE INDEX session_lists_place ON session_lists (application, category, last, id)`);
    // Which applications send which categories is no accident, and counts are estimated from it.
    await runner.query(
      `CREATE STATISTICS session_lists_sources (mcv) ON application, category FROM session_lists`,
    );
    await runner.query(`
      CREATE TABLE session_changes (
        session_id text NOT NULL,
        application text,
        category text,
        first timestamptz(6),
        last timestamptz(6),
        id uuid,
        events bigint
      )`);
    await runner.query(`CREATE VIEW pending_sessions AS ${merged('session_changes')}`);

    await runner.query(FOLD_SESSIONS);
    // In one snapshot where its transaction is one (REPEATABLE READ).
    await runner.query(`
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
          SELECT DISTINCT ${listed('source')}, last, id, session_id
          FROM sessions, unnest(sources) AS source, ${LISTS}
          ORDER BY 1, 2, 3, 4;
        END
      $$`);

    await runner.query(`
      CREATE FUNCTION note_stored_sessions() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          INSERT INTO session_changes (session_id, application, category, first, last, id, events)
          SELECT session_id, application, category, min(timestamp), max(timestamp),
            (array_agg(id ORDER BY timestamp DESC, id DESC))[1], count(*)
          FROM changed
          GROUP BY session_id, application, category;
          RETURN NULL;
        END
      $$`);
    await runner.query(`
      CREATE FUNCTION note_removed_sessions() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          INSERT INTO session_changes (session_id) SELECT DISTINCT session_id FROM changed;
          RETURN NULL;
        END
      $$`);
    await runner.query(`
      CREATE TRIGGER events_session_stored AFTER INSERT ON events
      REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION note_stored_sessions()`);
    await runner.query(`
      CREATE TRIGGER events_session_removed AFTER DELETE ON events
      REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION note_removed_sessions()`);
    await runner.query(`
      CREATE FUNCTION forget_sessions() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          TRUNCATE sessions, session_lists, session_changes;
          RETURN NULL;
        END
      $$`);
    await runner.query(`
      CREATE TRIGGER events_session_emptied AFTER TRUNCATE ON events
      FOR EACH STATEMENT EXECUTE FUNCTION forget_sessions()`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TRIGGER events_session_stored ON events`);
    await runner.query(`DROP TRIGGER events_session_removed ON events`);
    await runner.query(`DROP TRIGGER events_session_emptied ON events`);
    await runner.query(
      `DROP FUNCTION note_stored_sessions, note_removed_sessions, forget_sessions, rebuild_sessions, fold_sessions`,
    );
    await runner.query(`DROP VIEW pending_sessions`);
    await runner.query(`DROP TABLE session_changes, session_lists, sessions`);
    await runner.query(`DROP TYPE event_source`);
  }
}
