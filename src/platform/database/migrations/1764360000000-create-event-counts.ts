import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Events that are counted at once, in memory, when all are counted anew. */
const AT_ONCE = 250_000;

/** Makes blocks that hold some changes and nothing else. */
export const EVENT_COUNT_BLOCKS = `
  CREATE OR REPLACE FUNCTION event_count_blocks(changes event_count_changes[]) RETURNS SETOF event_counts LANGUAGE sql AS $$
    SELECT grain, block, start, name, category, application,
      array_agg(ended ORDER BY ended), array_agg(running ORDER BY ended)
    FROM (
      SELECT
        (CASE grouping(category, name) WHEN 3 THEN 'application' WHEN 1 THEN 'category' ELSE 'type' END)::event_count_grain AS grain,
        block, start, coalesce(category, '') AS category, coalesce(name, '') AS name, application, ended,
        (sum(sum(count)) OVER (
          PARTITION BY grouping(category, name), block, start, category, name, application ORDER BY ended
        ))::bigint AS running
      FROM unnest(changes),
        LATERAL (VALUES
          ('hour'::event_count_block, date_trunc('hour', minute), minute + interval '1 minute'),
          ('day', date_trunc('day', minute), date_trunc('hour', minute) +
            CASE WHEN extract(minute FROM minute) < 30 THEN interval '30 minutes' ELSE interval '1 hour' END),
          ('month', date_trunc('month', minute), date_trunc('day', minute) + interval '1 day'),
          ('ever', '-infinity', date_trunc('month', minute) + interval '1 month')
        ) AS counted (block, start, ended)
      GROUP BY block, start, ended, application, ROLLUP (category, name)
    ) AS sums
    GROUP BY grain, block, start, name, category, application
  $$`;

/**
 * How many events there are, kept by the database itself: whatever stores or removes events, and however it ends, their
 * counts change in the same transaction.
 *
 * A statement that stores events appends what it changed, a row for each minute and type in it, to a table without an
 * index. So workers never wait for one another here. Changes are folded into `event_counts` later, and whoever counts
 * adds up both.
 *
 * A row of `event_counts` holds the counts of one block of time as running sums: `counts[i]` events lie in the block
 * before `ends[i]`, and times at which nothing ended are left out. So the events before any minute are four look-ups: the
 * months before its month, the days of its month before its day, the hours of its day before its hour, the minutes of its
 * hour before it. Sums of a day end each half hour, so that hours and days of a time zone that is half an hour off UTC
 * are told without a look into each hour. A row has sixty ends at most (`ever` has one a month), so that it is changed at
 * little cost. Times are UTC without a zone, for the arithmetic of calendars.
 *
 * `grain` says what is told apart beside applications, of which there are few; '' stands for all categories or names.
 * Names have no grain of their own: they are those of their types.
 */
export class CreateEventCounts1764360000000 implements MigrationInterface {
  name = 'CreateEventCounts1764360000000';

  async up(runner: QueryRunner): Promise<void> {
    // Some databases have counts of an earlier form, with other blocks.
    await this.down(runner);
    await runner.query(`
      CREATE TABLE event_count_changes (
        minute timestamp(0) NOT NULL,
        application text NOT NULL,
        category text NOT NULL,
        name text NOT NULL,
        count bigint NOT NULL
      )`);
    await runner.query(`CREATE TYPE event_count_grain AS ENUM ('application', 'category', 'type')`);
    await runner.query(`CREATE TYPE event_count_block AS ENUM ('hour', 'day', 'month', 'ever')`);
    await runner.query(`
      CREATE TABLE event_counts (
        grain event_count_grain NOT NULL,
        block event_count_block NOT NULL,
        start timestamp(0) NOT NULL,
        name text NOT NULL,
        category text NOT NULL,
        application text NOT NULL,
        ends timestamp(0)[] NOT NULL,
        counts bigint[] NOT NULL
      ) WITH (fillfactor = 80)`);
    await runner.query(
      `CREATE UNIQUE INDEX event_counts_unique ON event_counts (grain, block, start, name, category, application)`,
    );

    await runner.query(EVENT_COUNT_BLOCKS);
    // Running sums add up end by end.
    await runner.query(`
      CREATE FUNCTION fold_event_counts(changes event_count_changes[]) RETURNS void LANGUAGE sql AS $$
        INSERT INTO event_counts AS kept (grain, block, start, name, category, application, ends, counts)
        SELECT grain, block, start, name, category, application, ends, counts FROM event_count_blocks(changes)
        ON CONFLICT (grain, block, start, name, category, application) DO UPDATE SET (ends, counts) = (
          SELECT
            array_agg(ended ORDER BY ended),
            array_agg(
              coalesce(kept.counts[width_bucket(ended, kept.ends)], 0) +
              coalesce(excluded.counts[width_bucket(ended, excluded.ends)], 0) ORDER BY ended
            )
          FROM (SELECT unnest(kept.ends) UNION SELECT unnest(excluded.ends)) AS both_ends (ended)
        )
      $$`);
    // Counts the events anew, some at a time; in one snapshot where its transaction is one (REPEATABLE READ).
    await runner.query(`
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
               FROM events WHERE timestamp >= first ORDER BY timestamp OFFSET ${AT_ONCE} LIMIT 1),
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
      $$`);

    await runner.query(`
      CREATE FUNCTION note_event_counts() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          INSERT INTO event_count_changes (minute, application, category, name, count)
          SELECT date_trunc('minute', timestamp AT TIME ZONE 'UTC'), application, category, name,
            CASE TG_OP WHEN 'INSERT' THEN count(*) ELSE -count(*) END
          FROM changed
          GROUP BY 1, 2, 3, 4;
          RETURN NULL;
        END
      $$`);
    await runner.query(`
      CREATE TRIGGER events_count_stored AFTER INSERT ON events
      REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION note_event_counts()`);
    await runner.query(`
      CREATE TRIGGER events_count_removed AFTER DELETE ON events
      REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION note_event_counts()`);
    await runner.query(`
      CREATE FUNCTION forget_event_counts() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          TRUNCATE event_count_changes, event_counts;
          RETURN NULL;
        END
      $$`);
    await runner.query(`
      CREATE TRIGGER events_count_emptied AFTER TRUNCATE ON events
      FOR EACH STATEMENT EXECUTE FUNCTION forget_event_counts()`);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const trigger of ['stored', 'removed', 'emptied'])
      await runner.query(`DROP TRIGGER IF EXISTS events_count_${trigger} ON events`);
    // The functions that take rows of these tables go with them.
    await runner.query(`DROP TABLE IF EXISTS event_count_changes, event_counts CASCADE`);
    await runner.query(
      `DROP FUNCTION IF EXISTS note_event_counts, forget_event_counts, rebuild_event_counts`,
    );
    await runner.query(`DROP TYPE IF EXISTS event_count_grain, event_count_block`);
  }
}
