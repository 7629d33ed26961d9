#!/bin/sh
# Gives The Eye a role that owns its database and nothing else. Runs at every start.
# Installations before version 0.2 have one role, the superuser the_eye with a known password: it becomes postgres.
set -eu
secrets=${SECRETS:-/secrets}
superuser=$(cat "$secrets/superuser-password")
password=$(cat "$secrets/the-eye-password")
export PGHOST="${PGHOST:-postgres}" PGDATABASE=the_eye PGCONNECT_TIMEOUT=5 PGOPTIONS='--client-min-messages=warning'

# $1: the role, $2: its password; the statements come from the standard input.
run() {
  PGPASSWORD=$2 psql -X -q -v ON_ERROR_STOP=1 -U "$1" -v "superuser=$superuser" -v "password=$password" -f -
}

if ! echo 'SELECT' | run postgres "$superuser" > /dev/null 2>&1; then
  # A role cannot rename itself.
  run the_eye the_eye << 'SQL'
DROP ROLE IF EXISTS setup;
CREATE ROLE setup SUPERUSER LOGIN PASSWORD :'superuser';
SQL
  run setup "$superuser" << 'SQL'
ALTER ROLE the_eye RENAME TO postgres;
ALTER ROLE postgres PASSWORD :'superuser';
SQL
fi

run postgres "$superuser" << 'SQL'
DROP ROLE IF EXISTS setup;
SELECT 'CREATE ROLE the_eye' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'the_eye') \gexec
ALTER ROLE the_eye LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD :'password';
REVOKE ALL ON DATABASE the_eye FROM PUBLIC;
ALTER DATABASE the_eye OWNER TO the_eye;
-- What an earlier version created as the superuser.
SELECT format('ALTER %s %s OWNER TO the_eye', CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, oid::regclass)
FROM pg_class AS relation
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'S') AND relowner = 'postgres'::regrole
  -- The sequence of a column follows its table.
  AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = relation.oid AND deptype IN ('a', 'i') AND relkind = 'S')
\gexec
SELECT format('ALTER ROUTINE %s OWNER TO the_eye', oid::regprocedure)
FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proowner = 'postgres'::regrole
  AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = pg_proc.oid AND deptype = 'e')
\gexec
SELECT format('ALTER TYPE %s OWNER TO the_eye', type.oid::regtype)
FROM pg_type AS type LEFT JOIN pg_class AS relation ON relation.oid = type.typrelid
WHERE typnamespace = 'public'::regnamespace AND typowner = 'postgres'::regrole
  AND typtype IN ('c', 'd', 'e') AND (relation.oid IS NULL OR relkind = 'c')
\gexec
SQL
