import { Injectable } from '@nestjs/common';
import { formatUtc, ReadSql } from '../platform/database/sql.js';
import { secondsBetween } from '../platform/time/timestamp.js';
import type { Session } from './session.js';

/** Sums up one session in PostgreSQL, which has it as soon as its events are stored. */
@Injectable()
export class SessionSummaryRepository {
  constructor(private readonly sql: ReadSql) {}

  /**
   * @param visible the only application whose events count; undefined for all
   * @param maxEvents events of the session that are read at most
   * @returns undefined if there is none, `too_large` if the session has more events
   * @throws DatabaseUnavailableError
   */
  async find(
    sessionId: string,
    visible: string | undefined,
    maxEvents: number,
  ): Promise<Session | 'too_large' | undefined> {
    const [row] = await this.sql.query<Omit<Session, 'duration'> & { read: number }>(
      `SELECT $1::text AS session_id, ${formatUtc(`min(timestamp) FILTER (WHERE seen) AT TIME ZONE 'UTC'`)} AS first,
         ${formatUtc(`max(timestamp) FILTER (WHERE seen) AT TIME ZONE 'UTC'`)} AS last,
         count(*) FILTER (WHERE seen)::float8 AS events,
         array_agg(DISTINCT application COLLATE "C") FILTER (WHERE seen) AS applications,
         array_agg(DISTINCT category COLLATE "C") FILTER (WHERE seen) AS categories,
         (array_agg(type ORDER BY timestamp, id) FILTER (WHERE seen))[1] AS entry,
         (array_agg(type ORDER BY timestamp DESC, id DESC) FILTER (WHERE seen))[1] AS exit,
         count(*)::float8 AS read
       FROM (
         SELECT id, timestamp, application, category, json_build_object('category', category, 'name', name) AS type,
           $2::text IS NULL OR application = $2 AS seen
         FROM events WHERE session_id = $1 LIMIT $3
       ) AS read`,
      [sessionId, visible ?? null, maxEvents + 1],
    );
    if (!row) return undefined;
    const { read, ...session } = row;
    if (read > maxEvents) return 'too_large';
    if (session.events === 0) return undefined;
    return { ...session, duration: secondsBetween(session.first, session.last) };
  }
}
