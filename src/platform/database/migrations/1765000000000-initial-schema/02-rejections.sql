-- Refused events. A sample of them is kept; all are counted.

CREATE TABLE rejections (
  id uuid PRIMARY KEY,
  event_id uuid,
  application text NOT NULL,
  code text NOT NULL,
  errors jsonb NOT NULL,
  event text,
  whole boolean NOT NULL,
  outcome text NOT NULL,
  session_id text,
  category text,
  name text,
  rejected_at timestamptz(6) NOT NULL
);

-- A job that runs again dead-letters an event once.
CREATE UNIQUE INDEX rejections_set_aside ON rejections (event_id) WHERE outcome = 'set_aside';

CREATE INDEX rejections_rejected_at ON rejections (rejected_at, id);
CREATE INDEX rejections_application ON rejections (application, rejected_at, id);
CREATE INDEX rejections_application_code ON rejections (application, code, rejected_at, id);
CREATE INDEX rejections_code ON rejections (code, rejected_at, id);
CREATE INDEX rejections_outcome ON rejections (outcome, rejected_at, id);
CREATE INDEX rejections_session ON rejections (session_id, rejected_at, id);
CREATE INDEX rejections_category ON rejections (category, rejected_at, id);
CREATE INDEX rejections_name ON rejections (name, rejected_at, id);
CREATE INDEX rejections_type ON rejections (category, name, rejected_at, id);

-- Exact counts. '' stands for a missing category or name, and for types beyond the limit a minute.
CREATE TABLE rejection_counts (
  minute timestamptz(0) NOT NULL,
  application text NOT NULL,
  code text NOT NULL,
  category text NOT NULL,
  name text NOT NULL,
  count bigint NOT NULL
);

CREATE UNIQUE INDEX rejection_counts_unique ON rejection_counts (minute, application, code, category, name);

-- Batches that are written, so that a batch whose response was lost is not counted twice.
CREATE TABLE rejection_writes (
  id uuid PRIMARY KEY,
  written_at timestamptz(6) NOT NULL DEFAULT now()
);

CREATE INDEX rejection_writes_written_at ON rejection_writes (written_at);
