-- The stored events.
-- Each filter of the list has an index that ends in the order of the list, (timestamp, id), so that a page is read without
-- a sort. A session is read from the primary key, which begins with (session_id, timestamp). The primary key contains all
-- fields and decides whether two events are the same; data enters it by its SHA-256, because an entry holds about 2.7 kB.
-- No unique index exists on id alone: every unique index contains session_id and timestamp, so that the table can be
-- partitioned by time. An id begins with its timestamp and is found through the index on (timestamp, id).

CREATE TABLE events (
  id uuid NOT NULL,
  application text NOT NULL,
  session_id text NOT NULL,
  category text NOT NULL,
  name text NOT NULL,
  data jsonb NOT NULL,
  timestamp timestamptz(6) NOT NULL,
  data_sha256 bytea NOT NULL,
  CONSTRAINT events_unique PRIMARY KEY (session_id, timestamp, application, category, name, data_sha256)
);

CREATE INDEX events_application ON events (application, timestamp, id);
CREATE INDEX events_timestamp ON events (timestamp, id);
CREATE INDEX events_category ON events (category, timestamp, id);
CREATE INDEX events_name ON events (name, timestamp, id);
CREATE INDEX events_type ON events (category, name, timestamp, id);
