import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { Connections } from '../../src/platform/database/connections.js';
import { DatabaseUnavailableError } from '../../src/platform/database/database-errors.js';
import { ReadSql } from '../../src/platform/database/sql.js';
import { anEvent, eventually, type TheEye } from '../../testing/the-eye.js';
import { type Certificates, issueCertificates } from '../support/certificates.js';
import { Link } from '../support/link.js';
import { Load } from '../support/load.js';
import { PgBouncer } from '../support/pgbouncer.js';
import { tooManyClients } from '../support/pooler.js';
import { OwnPostgres, OwnRedis } from '../support/servers.js';
import { startEye } from '../support/start-eye.js';

/** Asks a database for one value, with the connections of The Eye. */
async function ask(url: string, expression: string): Promise<unknown> {
  const sql = new ReadSql(new Connections(url), 1);
  try {
    const [row] = await sql.query<{ value: unknown }>(`SELECT ${expression} AS value`);
    return row?.value;
  } finally {
    await sql.onApplicationShutdown();
  }
}

describe('PostgreSQL behind a proxy', () => {
  let primary: OwnPostgres;
  let standby: OwnPostgres | undefined;
  let proxy: Link;
  let eye: TheEye;
  beforeAll(async () => {
    primary = await OwnPostgres.start();
    proxy = await Link.open({ path: primary.socket });
    eye = await startEye({
      DATABASE_URL: `postgresql://the_eye@127.0.0.1:${proxy.port}/the_eye`,
      STORE_TIMEOUT: '2000',
    });
  });
  afterAll(async () => {
    await eye.close();
    await proxy.close();
    await standby?.close();
    await primary.close();
  });

  it('that refuses connections with FATAL XX000, like a pooler at its limit, makes events wait and dead-letters none', async () => {
    const load = Load.on(eye);
    await load.waitForResponses(202, 50);
    proxy.refuse(tooManyClients());
    proxy.cut();
    await load.waitForResponses(202, 100);
    expect((await eye.get('/health/ready')).status).toBe(503);
    proxy.fix();
    await load.waitForResponses(202, 50);
    await load.expectStored();
    expect((await eye.get('/rejections/?outcome=set_aside')).body.count).toBe(0);
  });

  it('that leads to a promoted standby and keeps old sessions open loses no event and is found by itself', async () => {
    standby = await primary.startStandby();
    const load = Load.on(eye);
    await load.waitForResponses(202, 50);
    const promoted = standby;
    await primary.failOverTo(promoted);
    // The proxy still leads to the old primary, which responds and cannot store.
    await eventually(async () => {
      const { status, body } = await eye.get('/health/ready');
      expect({ status, postgresql: body.checks.postgresql }).toEqual({
        status: 503,
        postgresql: { status: 'down', reason: 'read_only' },
      });
    });
    proxy.redirect({ path: promoted.socket });
    await load.waitForResponses(202, 50);
    await load.expectStored();
    await eventually(async () => expect((await eye.get('/health/ready')).status).toBe(200));
    // Readers are on the new primary, too.
    const { body } = await eye.store(anEvent());
    await eventually(async () => expect((await eye.get(`/events/${body.id}/`)).status).toBe(200));
  });

  it('DATABASE_URL with two hosts leads to the one that is writable with target_session_attrs=read-write', async () => {
    const [first, second] = await Promise.all([
      Link.open({ path: primary.socket }),
      Link.open({ path: standby?.socket ?? '' }),
    ]);
    try {
      const url = `postgresql://the_eye@127.0.0.1:${first.port},127.0.0.1:${second.port}/the_eye`;
      const isReadOnly = `current_setting('default_transaction_read_only')`;
      expect(await ask(url, isReadOnly)).toBe('on');
      expect(await ask(`${url}?target_session_attrs=any`, isReadOnly)).toBe('on');
      expect(await ask(`${url}?target_session_attrs=read-write`, isReadOnly)).toBe('off');
      second.sever();
      await expect(ask(`${url}?target_session_attrs=read-write`, isReadOnly)).rejects.toMatchObject({
        code: 'database_unavailable',
      });
      first.sever();
      second.fix();
      expect(await ask(url, isReadOnly)).toBe('off');
    } finally {
      await Promise.all([first.close(), second.close()]);
    }
  });
});

const missing = PgBouncer.unavailable();
if (missing !== undefined) console.warn(`Skipped: PgBouncer in transaction mode: ${missing}.`);

(missing === undefined ? describe : describe.skip)('PgBouncer in transaction mode', () => {
  let postgres: OwnPostgres;
  let redis: OwnRedis;
  let bouncer: PgBouncer;
  beforeAll(async () => {
    [postgres, redis] = await Promise.all([OwnPostgres.start(), OwnRedis.start()]);
    bouncer = await PgBouncer.start(postgres);
  });
  afterAll(async () => {
    await bouncer.close();
    await Promise.all([postgres.close(), redis.close()]);
  });

  it('lets two processes start at once, one of which is killed, and another one start and serve', async () => {
    const env = { DATABASE_URL: bouncer.url, REDIS_URL: redis.url };
    const eyes: TheEye[] = [];
    const started = [0, 1].map(async () => eyes.push(await startEye(env)));
    try {
      await Promise.race(started);
      const [first] = eyes;
      await first?.end('SIGKILL');
      await Promise.all(started);
      const third = await startEye(env);
      eyes.push(third);
      const load = Load.on(third);
      await load.waitForResponses(202, 100);
      await load.expectStored();
      expect((await third.get('/health/ready')).status).toBe(200);
      expect((await third.get('/events/')).status).toBe(200);
      expect(third.output).not.toMatch(/"level":"(warn|error)"/);
      // The worker takes locks for a transaction at a time. A lock of a session would stay on its pooled connection.
      await eventually(async () =>
        expect(await postgres.asSuperuser(`SELECT FROM pg_locks WHERE locktype = 'advisory'`)).toEqual([]),
      );
    } finally {
      await Promise.all(eyes.map((eye) => eye.close()));
    }
  });

  it('cancels a statement at its deadline', async () => {
    const sql = new ReadSql(new Connections(bouncer.url), 1);
    try {
      await expect(sql.query('SELECT pg_sleep(60)', [], { timeoutMs: 300 })).rejects.toThrow('in time');
      await eventually(async () =>
        expect(
          await postgres.asSuperuser(
            `SELECT FROM pg_stat_activity WHERE state = 'active' AND query = 'SELECT pg_sleep(60)'`,
          ),
        ).toEqual([]),
      );
    } finally {
      await sql.onApplicationShutdown();
    }
  });
});

describe('A connection to PostgreSQL', () => {
  it('is kept when the client of a question leaves before its statement begins', async () => {
    const postgres = await OwnPostgres.start();
    const sql = new ReadSql(new Connections(postgres.url), 1);
    const backend = async (): Promise<unknown> => (await sql.query('SELECT pg_backend_pid()'))[0];
    try {
      const before = await backend();
      const asked = sql.query('SELECT 1', [], { signal: AbortSignal.abort() });
      await expect(asked).rejects.toThrow(DatabaseUnavailableError);
      expect(await backend()).toEqual(before);
    } finally {
      await sql.onApplicationShutdown();
      await postgres.close();
    }
  });
});

describe('PostgreSQL with TLS', () => {
  let certificates: Certificates;
  let postgres: OwnPostgres;
  let port: number;
  let url: string;
  beforeAll(async () => {
    certificates = await issueCertificates();
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    ({ port } = server.address() as AddressInfo);
    server.close();
    const hba = certificates.ca.replace(/[^/]*$/, 'pg_hba.conf');
    await writeFile(
      hba,
      `hostssl all certified all trust clientcert=verify-ca
       hostssl all scram all scram-sha-256
       local all all trust
       host all all all trust`.replace(/^\s+/gm, ''),
    );
    postgres = await OwnPostgres.start(undefined, {
      ssl: 'on',
      hba_file: hba,
      ssl_ca_file: certificates.ca,
      ssl_cert_file: certificates.certificate,
      ssl_key_file: certificates.key,
      listen_addresses: '127.0.0.1',
      port: String(port),
    });
    url = `postgresql://the_eye@127.0.0.1:${port}/the_eye`;
    await postgres.asSuperuser(`CREATE ROLE certified LOGIN; CREATE ROLE scram LOGIN PASSWORD 'secret'`);
  });
  afterAll(async () => {
    await postgres.close();
    await certificates.remove();
  });

  const isEncrypted = '(SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid())';

  it.each([
    ['no sslmode, in clear', '', false],
    ['sslmode=disable, in clear', '?sslmode=disable', false],
    ['sslmode=prefer', '?sslmode=prefer', true],
    ['sslmode=require, whoever has issued the certificate', '?sslmode=require', true],
  ])('is reached by DATABASE_URL with %s', async (_, query, encrypted) => {
    expect(await ask(url + query, isEncrypted)).toBe(encrypted);
  });

  it('is reached in clear with sslmode=prefer where the server has no TLS, and refused with sslmode=require', async () => {
    const link = await Link.open({ path: postgres.socket });
    try {
      const plain = `postgresql://the_eye@127.0.0.1:${link.port}/the_eye`;
      expect(await ask(`${plain}?sslmode=prefer`, isEncrypted)).toBe(false);
      await expect(ask(`${plain}?sslmode=require`, isEncrypted)).rejects.toMatchObject({
        cause: { message: 'The server does not support SSL connections' },
      });
    } finally {
      await link.close();
    }
  });

  it('is reached with sslmode=verify-full and a CA of its own by the name in its certificate, and by no other', async () => {
    const own = encodeURIComponent(certificates.ca);
    const other = encodeURIComponent(certificates.otherCa);
    expect(await ask(`${url}?sslmode=verify-full&sslrootcert=${own}`, isEncrypted)).toBe(true);
    const byName = url.replace('127.0.0.1', 'localhost');
    expect(await ask(`${byName}?sslmode=verify-ca&sslrootcert=${own}`, isEncrypted)).toBe(true);
    await expect(ask(`${byName}?sslmode=verify-full&sslrootcert=${own}`, isEncrypted)).rejects.toMatchObject({
      cause: { message: expect.stringMatching("Host: localhost. is not in the cert's altnames") },
    });
    for (const mode of ['require', 'verify-ca', 'verify-full'])
      await expect(ask(`${url}?sslmode=${mode}&sslrootcert=${other}`, isEncrypted)).rejects.toMatchObject({
        cause: { code: 'SELF_SIGNED_CERT_IN_CHAIN' },
      });
  });

  it('is reached with the client certificate that it demands, by sslcert and sslkey, and not without', async () => {
    const certified = `${url.replace('the_eye@', 'certified@')}?sslmode=require`;
    const files = new URLSearchParams({ sslcert: certificates.certificate, sslkey: certificates.key });
    expect(await ask(`${certified}&${files.toString()}`, isEncrypted)).toBe(true);
    await expect(ask(certified, isEncrypted)).rejects.toMatchObject({
      cause: { message: expect.stringMatching('certificate') },
    });
  });

  it('is reached with channel_binding=require where it offers channel binding, and refused where it does not', async () => {
    const binding = '?sslmode=require&channel_binding=require';
    const bound = url.replace('the_eye@', 'scram:secret@') + binding;
    expect(await ask(bound, isEncrypted)).toBe(true);
    for (const unbound of [url + binding, bound.replace('sslmode=require', 'sslmode=disable')])
      await expect(ask(unbound, isEncrypted)).rejects.toMatchObject({
        code: 'database_unavailable',
      });
  });

  it('cancels a statement at its deadline over TLS', async () => {
    const sql = new ReadSql(new Connections(`${url}?sslmode=require`), 1);
    try {
      await expect(sql.query('SELECT pg_sleep(61)', [], { timeoutMs: 300 })).rejects.toThrow('in time');
      await eventually(async () =>
        expect(
          await postgres.asSuperuser(
            `SELECT FROM pg_stat_activity WHERE state = 'active' AND query = 'SELECT pg_sleep(61)'`,
          ),
        ).toEqual([]),
      );
    } finally {
      await sql.onApplicationShutdown();
    }
  });
});
