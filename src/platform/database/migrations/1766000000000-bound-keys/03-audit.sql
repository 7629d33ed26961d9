-- Who changed applications, keys and event types. An entry is written by the statement that makes the change, so that neither
-- exists without the other. Rows never change.

CREATE TABLE audit (
  id uuid PRIMARY KEY,
  at timestamptz(6) NOT NULL DEFAULT clock_timestamp(),
  -- The prefix of the key that made the change; 'cli' for the command line, 'anybody' without authentication.
  actor text NOT NULL,
  actor_key_id uuid,
  application text NOT NULL,
  action text NOT NULL,
  target text NOT NULL,
  details jsonb NOT NULL
);

CREATE INDEX audit_at ON audit (at, id);
CREATE INDEX audit_application ON audit (application, at, id);
CREATE INDEX audit_action ON audit (action, at, id);
