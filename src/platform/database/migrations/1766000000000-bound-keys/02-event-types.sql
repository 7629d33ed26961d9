-- Event types belong to an application. Until now a type held for all of them, so each application gets a copy of every
-- version of every type.

ALTER TABLE event_type_versions ADD COLUMN application text NOT NULL DEFAULT 'default';

ALTER TABLE event_type_versions
  DROP CONSTRAINT event_type_versions_pkey,
  ADD CONSTRAINT event_type_versions_pkey PRIMARY KEY (application, category, name, version);

INSERT INTO event_type_versions
  (application, category, name, version, schema, mode, changed_by, changed_by_key, changed_at)
SELECT applications.name, category, types.name, version, schema, mode, changed_by, changed_by_key, changed_at
FROM event_type_versions AS types, applications
WHERE applications.name <> 'default';

ALTER TABLE event_type_versions ALTER COLUMN application DROP DEFAULT;
