import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseUrlError, readDatabaseUrl } from './database-url.js';

const serversOf = (url: string): string[] =>
  readDatabaseUrl(url).servers.map(({ host, port, ssl }) => `${host}:${port}${ssl ? ' TLS' : ''}`);

describe('readDatabaseUrl()', () => {
  it('reads user, password, host, port and database', () => {
    const { servers, client, mustBeWritable } = readDatabaseUrl('postgresql://me:secret@db.example:6432/eye');
    expect(servers).toEqual([{ host: 'db.example', port: 6432, ssl: false }]);
    expect(client).toMatchObject({
      user: 'me',
      password: 'secret',
      database: 'eye',
      application_name: 'the-eye',
    });
    expect(mustBeWritable).toBe(false);
  });

  it.each([
    ['p@ss:w0rd', 'p@ss:w0rd'],
    ['100%', '100%'],
    ['p%40ss%2Fw%23rd%3F%25', 'p@ss/w#rd?%'],
    ['%E6%BC%A2 +&=', '漢 +&='],
  ])('reads the password %s as %s', (written, password) => {
    expect(readDatabaseUrl(`postgresql://me:${written}@h/eye`).client.password).toBe(password);
  });

  it.each([
    ['postgres://h/eye', ['h:5432']],
    ['postgresql:///eye', ['localhost:5432']],
    ['postgresql://a,b:6432,[::1]:7432/eye', ['a:5432', 'b:6432', '::1:7432']],
    ['postgresql://localhost/eye?host=a,b&port=6432', ['a:6432', 'b:6432']],
    ['postgresql://me@localhost:5432/eye?host=%2Frun%2Fpostgresql&sslmode=require', ['/run/postgresql:5432']],
    ['postgresql://a,b/eye?sslmode=prefer', ['a:5432 TLS', 'a:5432', 'b:5432 TLS', 'b:5432']],
    ['postgresql://a/eye?sslmode=allow', ['a:5432', 'a:5432 TLS']],
    ['postgresql://a/eye?sslmode=disable', ['a:5432']],
    ['postgresql://a/eye?ssl=true', ['a:5432 TLS']],
  ])('%s leads to %j', (url, servers) => {
    expect(serversOf(url)).toEqual(servers);
  });

  it('honours the parameters of a connection', () => {
    const url =
      'postgresql://h/eye?connect_timeout=7&application_name=eye%20two&options=-c%20jit%3Doff&keepalives=0';
    expect(readDatabaseUrl(url).client).toMatchObject({
      connectionTimeoutMillis: 7000,
      application_name: 'eye two',
      options: '-c jit=off',
      keepAlive: false,
    });
  });

  it.each(['read-write', 'primary'])(
    'passes over read-only servers with target_session_attrs=%s',
    (value) => {
      expect(readDatabaseUrl(`postgresql://a,b/eye?target_session_attrs=${value}`).mustBeWritable).toBe(true);
    },
  );

  describe('with a root certificate', () => {
    let folder: string;
    let ca: string;
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'eye-ca-'));
      ca = join(folder, 'ca.crt');
      writeFileSync(ca, 'certificate');
    });
    afterAll(() => rmSync(folder, { recursive: true }));

    const tlsOf = (query: string) => {
      const [server] = readDatabaseUrl(`postgresql://h/eye?${query}`).servers;
      const { ca: trusted, rejectUnauthorized, checkServerIdentity } = server?.ssl || {};
      const verifies = rejectUnauthorized !== false;
      return { trusted, verifies, verifiesName: verifies && checkServerIdentity === undefined };
    };

    // https://www.postgresql.org/docs/18/libpq-ssl.html#LIBPQ-SSL-PROTECTION
    it('verifies what libpq verifies in each sslmode', () => {
      const [trusted, untrusted] = ['certificate', undefined];
      expect(tlsOf('sslmode=require')).toEqual({ trusted: untrusted, verifies: false, verifiesName: false });
      expect(tlsOf(`sslmode=require&sslrootcert=${ca}`)).toEqual({
        trusted,
        verifies: true,
        verifiesName: false,
      });
      expect(tlsOf(`sslmode=verify-ca&sslrootcert=${ca}`)).toEqual({
        trusted,
        verifies: true,
        verifiesName: false,
      });
      expect(tlsOf(`sslmode=verify-full&sslrootcert=${ca}`)).toEqual({
        trusted,
        verifies: true,
        verifiesName: true,
      });
      expect(tlsOf(`sslrootcert=${ca}`)).toEqual({ trusted, verifies: true, verifiesName: true });
      expect(tlsOf('sslrootcert=system')).toEqual({ trusted: untrusted, verifies: true, verifiesName: true });
    });
  });

  it.each([
    ['postgresql://h/eye?target_session_atrs=any', 'does not support the parameter target_session_atrs'],
    [
      'postgresql://h/eye?target_session_attrs=standby',
      'target_session_attrs must be any or read-write or primary',
    ],
    ['postgresql://h/eye?sslmode=on', 'sslmode must be disable or allow or prefer'],
    ['postgresql://h/eye?sslmode=verify-ca', 'sslmode=verify-ca needs sslrootcert'],
    [
      'postgresql://h/eye?sslmode=verify-full&sslrootcert=/nowhere/ca.crt',
      'the file of sslrootcert cannot be read',
    ],
    ['postgresql://h/eye?sslmode=require&sslmode=disable', 'has the parameter sslmode twice'],
    ['postgresql://h/eye?connect_timeout=soon', 'connect_timeout must be a whole number'],
    ['postgresql://h/eye?client_encoding=LATIN1', 'client_encoding must be UTF8'],
    ['postgresql://a,b,c/eye?port=1,2', 'has 3 hosts and 2 ports'],
    ['postgresql://h:70000/eye', 'the port must be a number'],
    ['postgresql://me:se/cret@h/eye', 'in a password, write / as %2F'],
    ['mysql://h/eye', 'must look like postgresql://'],
  ])('refuses %s by name, without its secrets', (url, message) => {
    const read = () => readDatabaseUrl(url);
    expect(read).toThrow(DatabaseUrlError);
    expect(read).toThrow(message);
    expect(read).not.toThrow('cret');
  });
});
