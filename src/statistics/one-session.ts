/**
 * SQL that finds what is kept of the session $1 as `found`: where changes of it wait, as they leave it (see the migration
 * that creates sessions). One whose events were all removed has none.
 */
export const oneSession = (columns: string): string =>
  `WITH pending AS MATERIALIZED (SELECT * FROM pending_sessions WHERE session_id = $1),
   found AS (
     SELECT ${columns} FROM pending
     UNION ALL
     SELECT ${columns} FROM sessions WHERE session_id = $1 AND NOT EXISTS (SELECT FROM pending)
   )`;
