import { describeStart } from './startup-message.js';

const APP = {
  role: 'all' as const,
  address: 'http://127.0.0.1:8000',
  databaseUrl: 'postgresql://user:secret@db:5432/eye',
  redisUrl: 'redis://:secret@redis:6379',
  clickhouseUrl: 'http://user:secret@clickhouse:8123/eye',
  dataDir: undefined,
};

describe('describeStart()', () => {
  it('lists all addresses', () => {
    expect(describeStart({ ...APP, dataDir: 'data' })).toBe(`
The Eye is open.
  Dashboard   http://127.0.0.1:8000/
  API         http://127.0.0.1:8000/events/
  Docs        http://127.0.0.1:8000/docs
  PostgreSQL  postgresql://user:***@db:5432/eye
  Redis       redis://:***@redis:6379
  ClickHouse  http://user:***@clickhouse:8123/eye
  Data        data
`);
  });

  it('has no line for a data folder without embedded servers', () => {
    expect(describeStart(APP)).not.toMatch(/^ {2}Data/m);
  });

  it('says that questions have no answers without ClickHouse', () => {
    expect(describeStart({ ...APP, clickhouseUrl: undefined })).toContain(
      'ClickHouse  none, so there are no answers to questions\n',
    );
  });

  it('lists the health check of a worker, which has no API', () => {
    const message = describeStart({ ...APP, role: 'worker' });
    expect(message).toContain('http://127.0.0.1:8000/health/ready');
    expect(message).not.toContain('/events/');
  });

  it.each([
    'postgresql://user:secret@db/eye',
    'postgresql://user:se@secret@db/eye',
    'postgresql://user:p:secret@db/eye',
    'postgresql://user:p/secret@db/eye',
    'postgresql://db/eye?user=user&password=secret',
    'postgresql://db/eye?password=secret&sslmode=require',
    'rediss://:secret@redis:6379/0',
    'redis://redis:6379?password=secret',
    'unix://:secret@/run/redis.sock',
    'unix:///run/redis.sock?password=secret',
  ])('hides the password of %s', (url) => {
    expect(describeStart({ ...APP, databaseUrl: url, redisUrl: url })).not.toContain('secret');
  });

  it.each([
    'postgresql://user@db:5432/eye',
    'postgresql://db/eye?application_name=the@eye',
    'redis://redis:6379/0',
    'unix:///run/redis.sock',
  ])('shows %s, which has no password, unchanged', (url) => {
    expect(describeStart({ ...APP, redisUrl: url })).toContain(`Redis       ${url}\n`);
  });
});
