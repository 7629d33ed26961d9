-- Every version of every event type. Rows never change.
-- The schema is text, because jsonb would sort its keys and reformat its numbers. A version that is a deletion has neither
-- schema nor mode.

CREATE TABLE event_type_versions (
  category text NOT NULL,
  name text NOT NULL,
  version integer NOT NULL,
  schema text,
  mode text,
  changed_by text NOT NULL,
  changed_by_key text,
  changed_at timestamptz(6) NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (category, name, version)
);

CREATE INDEX event_type_versions_changed_at ON event_type_versions (changed_at);
