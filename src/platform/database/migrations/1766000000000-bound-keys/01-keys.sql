-- Keys are bound to their application, for reading and administration too, unless they are made for all on purpose. Those
-- that exist become bound. A key of scope metrics reads what a process counts of all applications, and nothing else.

ALTER TABLE keys
  ADD COLUMN all_applications boolean NOT NULL DEFAULT false,
  ADD COLUMN expires_at timestamptz(6),
  ADD COLUMN last_used_at timestamptz(6),
  DROP CONSTRAINT keys_scope_check,
  ADD CONSTRAINT keys_scope_check CHECK (scope IN ('ingest', 'read', 'admin', 'metrics')),
  ADD CONSTRAINT keys_all_applications_check CHECK (
    CASE scope WHEN 'metrics' THEN all_applications WHEN 'ingest' THEN NOT all_applications ELSE true END
  );
