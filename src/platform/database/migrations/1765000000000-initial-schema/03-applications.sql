-- Applications and their keys.
-- Only the SHA-256 of a key is stored: 256 random bits need no slow hash, and the unique index finds it in one step. Events
-- name their application without a foreign key, which would cost each of them a look-up.

CREATE TABLE applications (
  name text PRIMARY KEY,
  created_at timestamptz(6) NOT NULL DEFAULT now()
);

INSERT INTO applications (name) VALUES ('default');

CREATE TABLE keys (
  id uuid PRIMARY KEY,
  application text NOT NULL REFERENCES applications,
  scope text NOT NULL CHECK (scope IN ('ingest', 'read', 'admin')),
  hash bytea NOT NULL,
  prefix text NOT NULL,
  allowed_origins text[] NOT NULL DEFAULT '{}',
  rate_limit integer CHECK (rate_limit > 0),
  created_at timestamptz(6) NOT NULL DEFAULT now(),
  revoked_at timestamptz(6)
);

CREATE UNIQUE INDEX keys_hash ON keys (hash);

CREATE INDEX keys_application ON keys (application, created_at, id);
