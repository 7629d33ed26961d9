import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rmdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { RedisConnections } from '../../src/platform/redis/redis-connections.js';
import { RedisHealth } from '../../src/platform/redis/redis-health.js';
import { eventually, remove } from '../../testing/the-eye.js';
import { Link } from '../support/link.js';
import { OwnRedis } from '../support/servers.js';

const opened: RedisHealth[] = [];

/** Connects as a process of The Eye does, without the rest of it. */
function connectTo(url: string): RedisHealth {
  const health = new RedisHealth(new RedisConnections(url));
  health.onModuleInit();
  opened.push(health);
  return health;
}

/** Resolves when the problem is the expected one; undefined for none. Probes as the backlog does. */
const untilProblem = (health: RedisHealth, problem: string | undefined): Promise<void> =>
  eventually(async () => {
    await health.probeWrites();
    if (problem === undefined) expect(health.problem).toBeUndefined();
    else expect(health.problem).toMatch(problem);
  });

afterEach(() => {
  for (const health of opened.splice(0)) health.onApplicationShutdown();
});

describe('The connection to a Redis that refuses writes', () => {
  let redis: OwnRedis;
  beforeAll(async () => void (redis = await OwnRedis.start()));
  afterAll(() => redis.close());

  it.each([
    ['OOM', 'no memory left', { maxmemory: '1' }, { maxmemory: '0' }],
    [
      'NOREPLICAS',
      'min-replicas-to-write',
      { 'min-replicas-to-write': '1' },
      { 'min-replicas-to-write': '0' },
    ],
    ['NOAUTH', 'demands a password', { requirepass: 'secret' }, undefined],
  ])('names the cause of %s and works again without it', async (code, reason, fault, remedy) => {
    const health = connectTo(redis.url);
    await untilProblem(health, undefined);
    await redis.set(fault);
    if (remedy === undefined) {
      const late = connectTo(redis.url);
      await untilProblem(late, `(${code})`);
      expect(late.problem).toMatch(reason);
      await connectTo(`${redis.url}?password=secret`).ready();
      return;
    }
    await untilProblem(health, `(${code})`);
    expect(health.problem).toMatch(reason);
    await redis.set(remedy);
    await untilProblem(health, undefined);
  });
});

describe('The connection to a Redis whose socket fails', () => {
  it('survives a second error of the same socket', async () => {
    const redis = await OwnRedis.start();
    const connections = new RedisConnections(redis.url);
    await once(connections.client, 'ready');
    const { stream } = connections.client as unknown as { stream: Socket };
    for (const message of ['first', 'second'])
      expect(() => stream.emit('error', new Error(message))).not.toThrow();
    connections.close();
    await redis.close();
  });
});

describe('A connection beside that of RedisHealth', () => {
  it('is replaced with that one, so that both lead to the same server', async () => {
    const redis = await OwnRedis.start();
    const connections = new RedisConnections(redis.url);
    const { client, bulk } = connections;
    await Promise.all([once(client, 'ready'), once(bulk, 'ready')]);
    const before = await bulk.client('ID');
    await redis.command('CLIENT', 'KILL', 'ID', String(await client.client('ID')));
    await eventually(async () => expect(await bulk.client('ID')).not.toBe(before));
    connections.close();
    await redis.close();
  });

  it('is replaced after it has died silently', async () => {
    const redis = await OwnRedis.start();
    const link = await Link.open({ path: redis.socket });
    const connections = new RedisConnections(`redis://127.0.0.1:${link.port}`);
    const { bulk } = connections;
    await once(bulk, 'ready');
    await bulk.set('key', 'value');
    link.forget();
    await expect(bulk.get('key')).rejects.toThrow('Command timed out');
    await eventually(async () => expect(await bulk.get('key')).toBe('value'));
    connections.close();
    await link.close();
    await redis.close();
  });
});

describe('The connection to a Redis that cannot write to its disk, or whose ACL forbids writing', () => {
  let redis: OwnRedis;
  beforeAll(async () => void (redis = await OwnRedis.start()));
  afterAll(() => redis.close());

  it('names MISCONF after a snapshot has failed, and works again after one that has not', async () => {
    const health = connectTo(redis.url);
    await untilProblem(health, undefined);
    const setting = async (name: string): Promise<string> =>
      ((await redis.command('CONFIG', 'GET', name)) as string[])[1] ?? '';
    // A folder in its place keeps Redis from renaming its snapshot.
    const obstacle = join(await setting('dir'), await setting('dbfilename'));
    await mkdir(obstacle);
    await redis.set({ save: '3600 1', 'stop-writes-on-bgsave-error': 'yes' });
    const snapshot = (status: string): Promise<void> =>
      eventually(async () => {
        await redis.command('BGSAVE').catch(() => undefined);
        expect(await redis.command('INFO', 'persistence')).toMatch(`rdb_last_bgsave_status:${status}`);
      });
    await snapshot('err');
    await untilProblem(health, '(MISCONF)');
    expect(health.problem).toMatch('cannot write to its disk');
    await rmdir(obstacle);
    await snapshot('ok');
    await untilProblem(health, undefined);
  });

  it('names NOPERM, and works again once the ACL allows it', async () => {
    const setUser = (...rules: string[]): Promise<unknown> =>
      redis.command('ACL', 'SETUSER', 'weak', 'on', '>secret', '~the-eye:*', ...rules);
    await setUser('+@read', '+@connection', '+role');
    const health = connectTo(`${redis.url}?username=weak&password=secret`);
    await untilProblem(health, '(NOPERM)');
    expect(health.problem).toMatch('ACL');
    await setUser('+@write', '+@scripting');
    await untilProblem(health, undefined);
  });
});

describe('The connection to a Redis Cluster', () => {
  it('is named as what The Eye does not support', async () => {
    const redis = await OwnRedis.startWith({ 'cluster-enabled': 'yes' });
    const health = connectTo(redis.url);
    await untilProblem(health, 'REDIS_URL names a Redis Cluster, which The Eye does not support');
    await redis.close();
  });
});

describe('The connection to a Redis with TLS', () => {
  let folder: string;
  let redis: OwnRedis;
  let port: number;
  const file = (name: string): string => join(folder, name);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'redis-tls-'));
    const openssl = (...args: string[]): Promise<unknown> =>
      promisify(execFile)('openssl', args, { cwd: folder });
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
    for (const ca of ['ca', 'other'])
      await openssl(
        'req',
        '-x509',
        ...key,
        '-keyout',
        `${ca}.key`,
        '-out',
        `${ca}.crt`,
        '-subj',
        `/CN=${ca}`,
      );
    for (const [name, names] of [
      ['server', 'DNS:localhost'],
      ['client', 'DNS:client'],
    ] as const)
      await openssl(
        'req',
        '-x509',
        ...key,
        '-CA',
        'ca.crt',
        '-CAkey',
        'ca.key',
        '-keyout',
        `${name}.key`,
        '-out',
        `${name}.crt`,
        '-subj',
        `/CN=${name}`,
        '-addext',
        `subjectAltName=${names}`,
        '-addext',
        'basicConstraints=critical,CA:FALSE',
      );
    port = await freePort();
    redis = await OwnRedis.startWith({
      'tls-port': String(port),
      'tls-cert-file': file('server.crt'),
      'tls-key-file': file('server.key'),
      'tls-ca-cert-file': file('ca.crt'),
      'tls-auth-clients': 'no',
    });
  });
  afterAll(async () => {
    await redis.close();
    await remove(folder);
  });

  const url = (host: string, parameters: Record<string, string> = {}): string =>
    `rediss://${host}:${port}?${new URLSearchParams({ family: '4', ...parameters }).toString()}`;

  it('is made when its certificate is signed by ?cacert= for the host', async () => {
    await connectTo(url('localhost', { cacert: file('ca.crt') })).ready();
    await connectTo(url('127.0.0.1', { cacert: file('ca.crt'), sni: 'localhost' })).ready();
  });

  it('is refused when its certificate has another issuer', async () => {
    const unknown = 'a certificate of an unknown issuer; name the CA by ?cacert=file in REDIS_URL';
    await untilProblem(connectTo(url('localhost')), unknown);
    await untilProblem(connectTo(url('localhost', { cacert: file('other.crt') })), unknown);
  });

  it('is refused when its certificate is for another name', async () => {
    const health = connectTo(url('127.0.0.1', { cacert: file('ca.crt') }));
    await untilProblem(health, 'a certificate for another name than the host of REDIS_URL');
  });

  it('is made with a client certificate where Redis demands one', async () => {
    await redis.set({ 'tls-auth-clients': 'yes' });
    const ca = { cacert: file('ca.crt') };
    await untilProblem(connectTo(url('localhost', ca)), 'Redis');
    await connectTo(url('localhost', { ...ca, cert: file('client.crt'), key: file('client.key') })).ready();
  });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
