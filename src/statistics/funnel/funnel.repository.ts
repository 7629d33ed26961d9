import { Injectable } from '@nestjs/common';
import { ReadSql } from '../../platform/database/sql.js';

/** A type of event. */
export interface Step {
  category: string;
  name: string;
}

/** Follows sessions from step to step. */
@Injectable()
export class FunnelRepository {
  constructor(private readonly sql: ReadSql) {}

  /** Whether the steps have more events than `limit`, from one canonical timestamp to before another. */
  async haveMoreEvents(
    steps: Step[],
    { from, to }: { from: string; to: string },
    application: string | undefined,
    limit: number,
  ): Promise<boolean> {
    const types = steps.map(({ category, name }) => [category, name]);
    const [row] = await this.sql.query<{ events: number }>(
      `SELECT count(*)::int AS events FROM (
         SELECT FROM jsonb_array_elements($1::jsonb) AS step, LATERAL (
           SELECT FROM events
           WHERE (category, name) = (step->>0, step->>1) AND timestamp >= $2 AND timestamp < $3
             AND ($4::text IS NULL OR application = $4)
         ) AS events
         LIMIT $5
       ) AS read`,
      [JSON.stringify(types), from, to, application ?? null, limit + 1],
    );
    return (row?.events ?? 0) > limit;
  }

  /**
   * How many sessions reached each step, from one canonical timestamp to before another.
   *
   * Of all ways to an event of a step, the one that began last is kept: who is not too late on that one is on no other.
   * So a session is walked once a step, with the latest beginning seen before each event.
   * @param window seconds
   * @param application reads only events of this application
   */
  async sessions(
    steps: Step[],
    { from, to }: { from: string; to: string },
    window: number,
    application: string | undefined,
  ): Promise<number[]> {
    const parameters: unknown[] = [from, to, window, application ?? null];
    const reached = steps.map(({ category, name }, index) => {
      parameters.push(category, name);
      const events = `SELECT session_id COLLATE "C" AS session_id, timestamp FROM events
        WHERE (category, name) = ($${parameters.length - 1}, $${parameters.length}) AND timestamp >= $1 AND timestamp < $2
          AND ($4::text IS NULL OR application = $4)`;
      if (index === 0)
        return `step_0 AS MATERIALIZED (SELECT *, timestamp AS began FROM (${events}) AS events)`;
      return `step_${index} AS MATERIALIZED (
        SELECT session_id, timestamp, began
        FROM (
          SELECT session_id, timestamp, began IS NULL AS is_here, max(began) OVER (
            PARTITION BY session_id ORDER BY timestamp GROUPS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
          ) AS began
          FROM (TABLE step_${index - 1} UNION ALL SELECT *, NULL FROM (${events}) AS events) AS both_steps
        ) AS walked
        WHERE is_here AND timestamp <= began + $3 * interval '1 second'
      )`;
    });
    const counted = steps.map((_, index) => `(SELECT count(DISTINCT session_id) FROM step_${index})::int`);
    const [row] = await this.sql.query<{ sessions: number[] }>(
      `WITH ${reached.join(', ')} SELECT ARRAY[${counted.join(', ')}] AS sessions`,
      parameters,
    );
    return row?.sessions ?? [];
  }
}
