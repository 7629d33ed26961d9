import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseRedisUrl } from './redis-url.js';

describe('parseRedisUrl', () => {
  it.each([
    ['redis://host', { host: 'host', port: 6379, db: 0 }],
    ['redis://host/', { host: 'host', port: 6379, db: 0 }],
    ['redis://:p%40ss@host:7000/3', { host: 'host', port: 7000, db: 3, password: 'p@ss' }],
    [
      'redis://me:secret@[::1]:7000?family=6',
      { host: '::1', port: 7000, db: 0, family: 6, username: 'me', password: 'secret' },
    ],
    ['rediss://host', { host: 'host', port: 6379, db: 0, tls: {} }],
    [
      'rediss://10.0.0.1?sni=redis.internal',
      { host: '10.0.0.1', port: 6379, db: 0, tls: { servername: 'redis.internal' } },
    ],
    ['unix:///run/redis.sock', { path: '/run/redis.sock', db: 0 }],
    [
      'unix:///run/redis.sock?db=2&username=me&password=a%26b',
      { path: '/run/redis.sock', db: 2, username: 'me', password: 'a&b' },
    ],
  ])('reads %s', (url, options) => {
    expect(parseRedisUrl(url)).toEqual(options);
  });

  it.each([
    ['redis://', 'names no host'],
    ['redis://host:port', 'is not a valid URL'],
    ['http://host', 'must start with redis://, rediss:// or unix://'],
    ['redis://a:secret@one,two', 'several hosts'],
    ['redis://host/secret', 'a number as its database'],
    ['redis://host/0/secret', 'a number as its database'],
    ['redis://host#secret', 'fragment'],
    ['redis://host?timeout=secret', 'the unknown parameter "timeout"; redis:// knows family'],
    ['redis://host?cacert=secret', 'the unknown parameter "cacert"'],
    ['redis://host?family=secret', 'the family 4 or 6'],
    ['redis://host?family=4&family=secret', 'one value of the parameter "family"'],
    ['redis://:secret%@host', 'a % that encodes nothing'],
    ['rediss://host?cert=/secret', 'both parameters "cert" and "key"'],
    ['rediss://host?cacert=/secret', '"cacert" that cannot be read (ENOENT)'],
    ['unix://run/redis.sock', 'three slashes'],
    ['unix:///run/redis.sock?db=secret', 'a number as its database'],
  ])('refuses %s without repeating its values', (url, message) => {
    const parse = (): unknown => parseRedisUrl(url);
    expect(parse).toThrow(message);
    expect(parse).not.toThrow('secret');
  });

  it('reads the files of the parameters for TLS', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'redis-url-'));
    const file = join(folder, 'file.pem');
    await writeFile(file, 'text');
    const { tls } = parseRedisUrl(`rediss://host?cacert=${file}&cert=${file}&key=${file}`);
    await rm(folder, { recursive: true });
    expect(tls).toEqual({ ca: Buffer.from('text'), cert: Buffer.from('text'), key: Buffer.from('text') });
  });
});
