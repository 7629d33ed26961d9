import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Ran, runCommand } from '../../testing/commands.js';
import { bearer } from '../../testing/keys.js';
import { anEvent, eventually, onTime, remove, TheEye } from '../../testing/the-eye.js';

describe('npm run applications', () => {
  let dataDir: string;
  /** A command that tries for as long as a start of PostgreSQL may take; meanwhile, the other commands run. */
  let withoutDatabase: Promise<Ran>;
  const run = (...args: string[]): Promise<Ran> =>
    runCommand({ DATA_DIR: dataDir, PORT: '8123' }, 'applications', ...args);
  const printedField = (output: string, name: string): string =>
    new RegExp(`^${name} +(\\S+)$`, 'm').exec(output)?.[1] ?? '';

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'eye-test-'));
    withoutDatabase = runCommand({ DATABASE_URL: 'postgresql://u@127.0.0.1:1/x' }, 'applications', 'list');
  });
  afterAll(() => remove(dataDir));

  it('says that a folder has no data, and creates none', async () => {
    const empty = join(dataDir, 'empty');
    for (const [script, ...args] of [
      ['applications', 'list'],
      ['replication', 'verify'],
    ] as const) {
      const { code, stdout, stderr } = await runCommand({ DATA_DIR: empty }, script, ...args);
      expect([code, stdout]).toEqual([1, '']);
      expect(stderr.trim()).toBe(
        `There is no data in ${empty}. Start The Eye first, or set DATA_DIR or DATABASE_URL.`,
      );
    }
    expect(existsSync(empty)).toBe(false);
  });

  it('creates applications and keys before the first start and while The Eye runs', async () => {
    const first = await run(
      'create',
      'shop',
      '--scope',
      'admin',
      '--all-applications',
      '--expires',
      '2999-12-31',
    );
    expect(first.code).toBe(0);
    const key = printedField(first.stdout, 'Key');
    expect(key).toMatch(/^eye_admin_[\w-]{43}$/);
    expect(first.stdout).toContain(`curl -H 'Authorization: Bearer ${key}' http://127.0.0.1:8123/events/`);

    const eye = await TheEye.start({ DATA_DIR: dataDir, AUTH: 'required' });
    expect((await eye.get('/events/', bearer(key))).status).toBe(200);

    const origin = 'https://shop.example';
    const second = await run('create', 'shop', '--origin', origin, '--rate-limit', '9');
    expect(second).toMatchObject({ code: 0, stderr: '' });
    const ingest = printedField(second.stdout, 'Key');
    const sent = await eye.post(`/events/?key=${ingest}`, anEvent(), { origin });
    expect([sent.status, sent.headers.get('ratelimit-policy')]).toEqual([202, '"events";q=9;w=60']);
    // The printed example works as it is, although this command has another PORT than The Eye.
    const [, example = ''] = second.stdout.split('For example:');
    expect(example).toContain(`${eye.url}/events/`);
    const { stdout: response } = await promisify(execFile)('sh', ['-c', `${example.trim()} -s`]);
    expect(JSON.parse(response)).toMatchObject({ status: 'queued' });

    const list = await run('list');
    for (const id of [printedField(first.stdout, 'Id'), printedField(second.stdout, 'Id')])
      expect(list.stdout).toContain(id);
    expect(list.stdout).toContain(`${origin}, 9 events a minute`);
    expect(list.stdout).toMatch(/(never|\dZ) +expires 2999-12-31T23:59:59\.999999Z, all applications/);
    expect(list.stdout).not.toContain(key);
    const audit = await eye.get('/audit/', bearer(key));
    expect(
      audit.body.results.map(({ actor, action, application }: any) => [actor, action, application]),
    ).toEqual([
      ['cli', 'key.create', 'shop'],
      ['cli', 'key.create', 'shop'],
      ['cli', 'application.create', 'shop'],
    ]);

    const id = printedField(first.stdout, 'Id');
    expect(await run('revoke', id)).toMatchObject({ code: 0 });
    await eventually(
      async () => expect((await eye.get('/events/', bearer(key))).status).toBe(401),
      onTime(2000),
    );
    await eye.end();
    // The process has written the last uses when it stopped.
    expect((await run('list')).stdout).toMatch(
      new RegExp(`${id} .*… +20\\d\\d-\\d\\d-\\d\\dT\\d\\d:\\d\\dZ +revoked 20`),
    );
  });

  it('rejects invalid arguments with a one-line message and changes nothing', async () => {
    const wrong: [string[], RegExp][] = [
      [['create', 'web', '--rate-limit', '0'], /^--rate-limit must be /],
      [['revoke', crypto.randomUUID()], /^There is no key with this id\.$/],
    ];
    for (const [args, message] of wrong) {
      const { code, stdout, stderr } = await run(...args);
      expect([args, code, stdout, stderr.trim().split('\n').length]).toEqual([args, 1, '', 1]);
      expect(stderr.trim()).toMatch(message);
    }
    expect((await run('list')).stdout).not.toContain('web');
    expect((await run()).stdout).toContain('npm run applications -- create');
  });

  it('fails when PostgreSQL is unavailable', async () => {
    const { code, stderr } = await withoutDatabase;
    expect([code, stderr.trim()]).toEqual([1, 'PostgreSQL is not available right now.']);
  });
});
