import pg from 'pg';
import { isMisconfiguration, ReadOnlyError, UnusableDatabaseError } from './database-errors.js';
import { CONNECT_TIMEOUT_MS, type DatabaseAddress, readDatabaseUrl } from './database-url.js';

/**
 * How many connections of each kind a process opens at most; none before it needs them. `docs/operations.md` has the sums.
 * A worker stores with two, and needs the others for replication, rejections, and what the process itself asks.
 */
export const POOL_SIZES = { write: 6, read: 4, key: 2, health: 1 } as const;

/**
 * Milliseconds after which an idle connection is closed: longer than the pauses between the statements of an idle process,
 * because each new connection costs PostgreSQL as much as dozens of them.
 */
const IDLE_TIMEOUT_MS = 60_000;

/** What node-postgres says when no connection of a pool has become free in time. */
const POOL_TIMEOUT = 'timeout exceeded when trying to connect';

/**
 * Asked on each new connection. A pooler may report the state of another server, so the parameters that it reported at the
 * start are not enough.
 */
const SERVER_STATE = `SELECT current_setting('server_encoding') AS encoding,
  pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean AS read_only`;

/**
 * The connections of a process to PostgreSQL. Its pools share what is known of the servers: which of several responded
 * last, and since when an old connection may lead to a server that is no longer the primary.
 */
export class Connections {
  private readonly address: DatabaseAddress;
  /** Index of the server that is tried first: the last one that worked. */
  private current = 0;
  private generation = 0;
  private readonly generations = new WeakMap<pg.PoolClient, number>();

  /** @throws DatabaseUrlError */
  constructor(url: string) {
    this.address = readDatabaseUrl(url);
  }

  /** The options of a pool. They make each client for the current server, and check it before its first use. */
  get poolOptions(): pg.PoolConfig {
    const createClient = (): pg.Client => this.createClient();
    return {
      // node-postgres calls it with `new`, and takes the object that it returns.
      Client: function () {
        return createClient();
      } as unknown as NonNullable<pg.PoolConfig['Client']>,
      connectionTimeoutMillis: this.address.client.connectionTimeoutMillis,
      idleTimeoutMillis: IDLE_TIMEOUT_MS,
      // eslint-disable-next-line @typescript-eslint/no-misused-promises -- pg waits for the promise; its types lag behind
      onConnect: (client) => this.check(client),
    };
  }

  /** A pool opens its connections when they are needed, and closes those that were idle for a minute. */
  createPool(size: number): pg.Pool {
    const pool = new pg.Pool({ ...this.poolOptions, max: size });
    // The pool replaces an idle connection that breaks; the next query gets a working one or an error. A statement in
    // progress reports the error of its connection itself.
    const ignore = (): void => undefined;
    pool.on('error', ignore);
    pool.on('connect', (client) => {
      client.on('error', ignore);
      this.generations.set(client, this.generation);
    });
    return pool;
  }

  /** Takes a connection from a pool, to whichever server accepts it. */
  take(pool: pg.Pool): Promise<pg.PoolClient> {
    return this.tryEachServer(async () => {
      for (;;) {
        const client = await pool.connect();
        if (!this.isOutdated(client)) return client;
        client.release(true);
      }
    });
  }

  /**
   * Repeats an attempt to connect with each server in turn, beginning with the last one that worked.
   * @throws the error that is most likely to pass by itself
   */
  async tryEachServer<Result>(connect: () => Promise<Result>): Promise<Result> {
    const errors: unknown[] = [];
    for (let tries = 0; tries < this.address.servers.length; tries++) {
      const tried = this.current;
      try {
        return await connect();
      } catch (error) {
        if ((error as Error).message === POOL_TIMEOUT)
          throw new Error('all connections for this purpose are busy', { cause: error });
        errors.push(error);
        // Another attempt may have moved on already.
        if (this.current === tried) this.current = (tried + 1) % this.address.servers.length;
      }
    }
    throw errors.find((error) => !isMisconfiguration(error)) ?? errors[0];
  }

  /**
   * Replaces all connections, each before its next use. After a failover, a proxy may keep sessions to the old primary
   * open, where readers would read old rows and nothing can be stored.
   */
  renew(): void {
    this.generation++;
  }

  /** True if a connection is older than the last `renew()`. */
  isOutdated(client: pg.PoolClient): boolean {
    return this.generations.get(client) !== this.generation;
  }

  private createClient(): pg.Client {
    const { servers, client: options, mustBindChannel } = this.address;
    const client = new pg.Client({ ...options, ...servers[this.current], enableChannelBinding: true });
    if (mustBindChannel) requireChannelBinding(client);
    return client;
  }

  /** @throws UnusableDatabaseError, ReadOnlyError */
  private async check(client: pg.ClientBase): Promise<void> {
    const statement = { text: SERVER_STATE, query_timeout: this.address.client.connectionTimeoutMillis };
    const { rows } = await client.query<{ encoding: string; read_only: boolean }>(statement);
    const [state] = rows;
    if (state?.encoding !== 'UTF8')
      throw new UnusableDatabaseError(
        `The encoding of the database is ${state?.encoding}, which cannot store every event. ` +
          'Create a database with ENCODING UTF8 TEMPLATE template0.',
      );
    if (this.address.mustBeWritable && state.read_only) throw new ReadOnlyError();
  }
}

/** The parts of node-postgres that its types leave out. */
interface ProtocolConnection extends pg.Connection {
  connect(portOrPath: number | string, host?: string): void;
  requestSsl(): void;
  cancel(processId: number, secretKey: number): void;
}
interface ConnectedClient {
  readonly connection: pg.Connection;
  readonly host: string;
  readonly port: number;
  readonly ssl: pg.ConnectionConfig['ssl'];
  readonly processID: number;
  readonly secretKey: number;
}

/** node-postgres uses channel binding only if the server offers it. This refuses a server that does not offer it. */
function requireChannelBinding(client: pg.Client): void {
  const { connection } = client as unknown as ConnectedClient;
  let isBound = false;
  const refuse = (): void => {
    if (isBound) return;
    connection.emit(
      'error',
      new Error('The server does not offer channel binding (channel_binding=require)'),
    );
    connection.stream.destroy();
  };
  connection.prependListener('authenticationSASL', ({ mechanisms }: { mechanisms: string[] }) => {
    isBound = mechanisms.includes('SCRAM-SHA-256-PLUS');
    refuse();
  });
  for (const other of ['authenticationOk', 'authenticationMD5Password', 'authenticationCleartextPassword'])
    connection.prependListener(other, refuse);
}

/**
 * Asks PostgreSQL to cancel the statement of a client, by a CancelRequest. It needs no session, so it gets through when all
 * connections are taken, and it works behind a pooler, which knows other process ids than PostgreSQL. The client must stay
 * connected until this resolves, because a pooler forgets those that have left. Best effort: if PostgreSQL is unreachable,
 * the statement ends by itself.
 * @see https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-CANCELING-REQUESTS
 */
export function cancelStatement(client: pg.ClientBase): Promise<void> {
  const { host, port, ssl, processID, secretKey } = client as unknown as ConnectedClient;
  const connection = new pg.Connection({ ssl }) as ProtocolConnection;
  const timer = setTimeout(() => connection.stream.destroy(), CONNECT_TIMEOUT_MS);
  const cancel = (): void => connection.cancel(processID, secretKey);
  connection.on('connect', ssl ? () => connection.requestSsl() : cancel);
  connection.on('sslconnect', cancel);
  connection.on('error', () => connection.stream.destroy());
  // PostgreSQL responds by closing the connection.
  const closed = new Promise<void>((resolve) => connection.on('end', resolve));
  if (host.startsWith('/')) connection.connect(`${host}/.s.PGSQL.${port}`);
  else connection.connect(port, host);
  return closed.finally(() => clearTimeout(timer));
}
