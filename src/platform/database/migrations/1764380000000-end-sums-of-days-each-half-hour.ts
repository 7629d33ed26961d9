import type { MigrationInterface, QueryRunner } from 'typeorm';
import { EVENT_COUNT_BLOCKS } from './1764360000000-create-event-counts.js';

/** For those whose sums of a day end each hour: makes them anew of the sums of hours, while nobody changes these. */
export class EndSumsOfDaysEachHalfHour1764380000000 implements MigrationInterface {
  name = 'EndSumsOfDaysEachHalfHour1764380000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`LOCK TABLE event_counts IN SHARE ROW EXCLUSIVE MODE`);
    await runner.query(EVENT_COUNT_BLOCKS);
    await runner.query(`DELETE FROM event_counts WHERE block = 'day'`);
    await runner.query(`
      INSERT INTO event_counts (grain, block, start, name, category, application, ends, counts)
      SELECT grain, 'day', day, name, category, application,
        array_agg(ended ORDER BY ended), array_agg(running ORDER BY ended)
      FROM (
        SELECT grain, day, name, category, application, ended, (sum(count) OVER (
          PARTITION BY grain, day, name, category, application ORDER BY ended
        ))::bigint AS running
        FROM (
          SELECT grain, date_trunc('day', start) AS day, name, category, application,
            start + interval '30 minutes' AS half, start + interval '1 hour' AS whole,
            coalesce(counts[width_bucket(start + interval '30 minutes', ends)], 0) AS before_half,
            counts[cardinality(counts)] AS before_whole
          FROM event_counts
          WHERE block = 'hour'
        ) AS hours, LATERAL (VALUES (half, before_half), (whole, before_whole - before_half)) AS halves (ended, count)
        WHERE count <> 0
      ) AS sums
      GROUP BY grain, day, name, category, application`);
  }

  /** Who asks for whole hours finds them as before. */
  async down(): Promise<void> {
    // Nothing to undo.
  }
}
