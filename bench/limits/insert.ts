import Fastify from 'fastify';
import { createHash, randomUUID } from 'node:crypto';
import pg from 'pg';
import { setNodeFlags } from '../../src/platform/config/node-flags.js';
import { startEmbedded } from './embedded.js';

setNodeFlags();

interface SentEvent {
  session_id: string;
  category: string;
  name: string;
  data: Record<string, unknown>;
  timestamp: string;
}

/** The table of The Eye with its unique index, and without its other indexes and its triggers. */
const TABLE = `CREATE TABLE events (
  id uuid NOT NULL,
  application text NOT NULL,
  session_id text NOT NULL,
  category text NOT NULL,
  name text NOT NULL,
  data jsonb NOT NULL,
  timestamp timestamptz(6) NOT NULL,
  data_sha256 bytea NOT NULL,
  PRIMARY KEY (session_id, timestamp, application, category, name, data_sha256)
)`;

const COLUMNS = ['id', 'application', 'session_id', 'category', 'name', 'data', 'timestamp', 'data_sha256'];

/** What one writes in an afternoon: the handler inserts the events of a request, with one statement, and then responds. */
const server = Fastify();
const servers = await startEmbedded('postgres', () => server.close());
const pool = new pg.Pool({ connectionString: servers.databaseUrl, max: 10 });
// The end of the pool does not wait for its connections, which PostgreSQL may close first.
pool.on('error', () => undefined);
server.addHook('onClose', () => pool.end());
await pool.query(TABLE);
server.post<{ Body: SentEvent | SentEvent[] }>('/events/', async ({ body }, reply) => {
  const rows = [body].flat().map(toRow);
  await pool.query(insertStatement(rows.length), rows.flat());
  return reply.status(201).send({ ids: rows.map(([id]) => id) });
});
server.get('/count', async () => {
  const { rows } = await pool.query<{ count: string }>('SELECT count(*) FROM events');
  return rows[0]?.count;
});
console.log(await server.listen({ port: 0, host: '127.0.0.1' }));

function toRow({ session_id, category, name, data, timestamp }: SentEvent): unknown[] {
  const json = JSON.stringify(data);
  const digest = createHash('sha256').update(json).digest();
  return [randomUUID(), 'default', session_id, category, name, json, timestamp, digest];
}

function insertStatement(rows: number): string {
  const row = (index: number): string =>
    `(${COLUMNS.map((_, column) => `$${index * COLUMNS.length + column + 1}`).join(', ')})`;
  const values = Array.from({ length: rows }, (_, index) => row(index)).join(', ');
  return `INSERT INTO events (${COLUMNS.join(', ')}) VALUES ${values} ON CONFLICT DO NOTHING`;
}
