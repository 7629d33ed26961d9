import pg from 'pg';
import { errorCode } from './errors.js';

/** How to reach a server on its Unix socket. */
interface Address {
  readonly host: string;
  readonly port: number;
}

interface Roles {
  /** A plain role, which owns the database of its name and all that is in it. */
  readonly role: string;
  readonly superuser: string;
}

/** Exists only while the first superuser is renamed, which it cannot do itself. */
const RENAMER = 'the_eye_setup';

const CONNECT_TIMEOUT_MS = 10_000;

/** SQLSTATE of a role that does not exist, or may not log in. */
const NO_ROLE = '28000';

/**
 * Gives everything that users have made in a database to a role. `REASSIGN OWNED` refuses to take anything from the first
 * superuser. Sequences and indexes follow their tables, and members of an extension stay with it.
 */
const giveAll = ({ superuser, role }: Roles): string => `
  DO $$
  DECLARE
    command text;
  BEGIN
    FOR command IN
      WITH owner AS (SELECT oid FROM pg_roles WHERE rolname = '${superuser}'),
      spaces AS (
        SELECT oid, nspname, nspowner FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
      ),
      members AS (SELECT objid FROM pg_depend WHERE deptype = 'e')
      SELECT format('ALTER SCHEMA %I OWNER TO ${role}', nspname) FROM spaces, owner
      WHERE nspowner = owner.oid AND nspname <> 'public'
      UNION ALL
      SELECT format('ALTER TABLE %s OWNER TO ${role}', pg_class.oid::regclass) FROM pg_class, spaces, owner
      WHERE relnamespace = spaces.oid AND relowner = owner.oid AND relkind IN ('r', 'p', 'v', 'm', 'f')
        AND pg_class.oid NOT IN (SELECT objid FROM members)
      UNION ALL
      SELECT format('ALTER SEQUENCE %s OWNER TO ${role}', pg_class.oid::regclass) FROM pg_class, spaces, owner
      WHERE relnamespace = spaces.oid AND relowner = owner.oid AND relkind = 'S'
        AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype IN ('a', 'i', 'e'))
      UNION ALL
      SELECT format('ALTER ROUTINE %s OWNER TO ${role}', pg_proc.oid::regprocedure) FROM pg_proc, spaces, owner
      WHERE pronamespace = spaces.oid AND proowner = owner.oid AND pg_proc.oid NOT IN (SELECT objid FROM members)
      UNION ALL
      SELECT format('ALTER TYPE %s OWNER TO ${role}', pg_type.oid::regtype) FROM pg_type, spaces, owner
      WHERE typnamespace = spaces.oid AND typowner = owner.oid AND pg_type.oid NOT IN (SELECT objid FROM members)
        AND (typtype IN ('e', 'd', 'r')
          OR (typtype = 'c' AND EXISTS (SELECT FROM pg_class WHERE oid = typrelid AND relkind = 'c')))
      UNION ALL
      SELECT format('ALTER STATISTICS %I.%I OWNER TO ${role}', nspname, stxname) FROM pg_statistic_ext, spaces, owner
      WHERE stxnamespace = spaces.oid AND stxowner = owner.oid
    LOOP
      EXECUTE command;
    END LOOP;
  END $$`;

/**
 * Makes the plain role of the application and its database, in a new server or in one of a version whose application was
 * the superuser. The role may log in when all is done, so the next start repeats an interrupted attempt.
 */
export async function setUpRoles(address: Address, roles: Roles): Promise<void> {
  const { role, superuser } = roles;
  await renameFirstSuperuser(address, roles);
  const databases = await withClient(address, superuser, 'postgres', async (client) => {
    const { rowCount } = await client.query('SELECT FROM pg_roles WHERE rolname = $1', [role]);
    if (rowCount === 0) await client.query(`CREATE ROLE ${role} NOLOGIN`);
    const { rows } = await client.query<{ datname: string }>(
      `SELECT datname FROM pg_database WHERE NOT datistemplate AND datallowconn AND datname <> 'postgres'`,
    );
    const names = rows.map(({ datname }) => datname);
    if (!names.includes(role)) await client.query(`CREATE DATABASE ${role} OWNER ${role}`);
    return names;
  });
  for (const database of databases) {
    await withClient(address, superuser, database, async (client) => {
      await client.query(`ALTER DATABASE ${pg.escapeIdentifier(database)} OWNER TO ${role}`);
      await client.query(giveAll(roles));
    });
  }
  await withClient(address, superuser, 'postgres', (client) => client.query(`ALTER ROLE ${role} LOGIN`));
}

/** Older versions gave the name of the role to the first superuser, which must stay a superuser. */
async function renameFirstSuperuser(address: Address, roles: Roles): Promise<void> {
  const { role, superuser } = roles;
  const dropRenamer = (client: pg.Client): Promise<unknown> => client.query(`DROP ROLE IF EXISTS ${RENAMER}`);
  try {
    await withClient(address, superuser, 'postgres', dropRenamer);
    return;
  } catch (error) {
    if (errorCode(error) !== NO_ROLE) throw error;
  }
  await withClient(address, role, 'postgres', async (client) => {
    await dropRenamer(client);
    await client.query(`CREATE ROLE ${RENAMER} SUPERUSER LOGIN`);
  });
  await withClient(address, RENAMER, 'postgres', (client) =>
    client.query(`ALTER ROLE ${role} RENAME TO ${superuser}`),
  );
  await withClient(address, superuser, 'postgres', dropRenamer);
}

/** @param config further settings of node-postgres */
export async function withClient<Result>(
  address: Address,
  user: string,
  database: string,
  use: (client: pg.Client) => Promise<Result>,
  config: pg.ClientConfig = { connectionTimeoutMillis: CONNECT_TIMEOUT_MS },
): Promise<Result> {
  const client = new pg.Client({ ...address, user, database, ...config });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await use(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}
