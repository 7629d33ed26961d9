import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chown, cp, mkdtemp, readFile, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Load } from '../support/load.js';
import { familyOf, gone, living, serversOf, signalAll } from '../../testing/processes.js';
import { anEvent, eventually, remove, type StartOptions, TheEye } from '../../testing/the-eye.js';
import { startEmbedded } from '../support/start-eye.js';

const PROJECT = join(import.meta.dirname, '../..');

const folder = (): Promise<string> => mkdtemp(join(tmpdir(), 'eye-test-'));

/** Resolves once ClickHouse, for which the start does not wait, is available. */
const hasClickHouse = (eye: TheEye): Promise<void> =>
  eventually(async () => {
    const { body } = await eye.get('/health/ready');
    expect(body.checks.clickhouse).toEqual({ status: 'up' });
  }, 60_000);

describe('The Eye on a new data folder', () => {
  let eye: TheEye;
  beforeAll(async () => void (eye = await TheEye.start()));
  afterAll(() => eye.close());

  it('prints its addresses at start and logs no warning', () => {
    expect(eye.output.slice(eye.output.indexOf('\nThe Eye is open.'))).toBe(
      [
        '',
        'The Eye is open.',
        `  Dashboard   ${eye.url}/`,
        `  API         ${eye.url}/events/`,
        `  Docs        ${eye.url}/docs`,
        `  PostgreSQL  ${eye.databaseUrl}`,
        `  Redis       ${eye.redisUrl}`,
        `  ClickHouse  ${eye.clickhouseUrl}`,
        `  Data        ${eye.dataDir}`,
        '',
        '',
      ].join('\n'),
    );
    expect(eye.output).toMatch('creating the database (first start)');
    expect(eye.output).not.toMatch(/"level":"(warn|error|fatal)"/);
    // What packages log while they are loaded, e.g. that one of them is there twice.
    expect(eye.output).not.toMatch(/ (WARN|ERROR) /);
  });

  it('keeps its events over a restart and does not create the database again', async () => {
    const event = anEvent();
    const { body } = await eye.store(event);
    const family = await familyOf((await serversOf(eye.dataDir)).supervisor);
    expect(await eye.end()).toBe(0);
    expect(await living(family)).toEqual([]);
    await eye.start();
    expect(eye.output).not.toMatch(/creating the database|"level":"(warn|error|fatal)"/);
    expect((await eye.get(`/events/${body.id}/`)).body).toEqual({
      ...event,
      application: 'default',
      id: body.id,
    });
  });

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'stops on %s together with its servers',
    async (signal) => {
      const family = await familyOf((await serversOf(eye.dataDir)).supervisor);
      expect(await eye.end(signal)).toBe(0);
      await gone(family);
      await eye.start();
    },
  );

  it.each(['supervisor', 'postgres', 'redis', 'clickhouse'] as const)(
    'recovers after its %s process is killed',
    async (name) => {
      const event = anEvent();
      const { body } = await eye.store(event);
      await hasClickHouse(eye);
      const before = await serversOf(eye.dataDir);
      process.kill(before[name], 'SIGKILL');
      await gone([before[name]]);
      // The servers stop with the supervisor. Until then they still reply, so an event can be stored before all have restarted.
      const killed =
        name === 'supervisor' ? (['supervisor', 'postgres', 'redis', 'clickhouse'] as const) : [name];
      await eventually(async () => {
        const after = await serversOf(eye.dataDir);
        for (const each of killed) expect(after[each]).not.toBe(before[each]);
        await eye.store(anEvent());
      }, 60_000);
      await hasClickHouse(eye);
      expect((await eye.get(`/events/${body.id}/`)).body).toEqual({
        ...event,
        application: 'default',
        id: body.id,
      });
    },
  );

  it('has every accepted event after all its processes were killed at once', async () => {
    await eye.end();
    const api = await TheEye.start({ ROLE: 'api', DATA_DIR: eye.dataDir });
    const load = Load.on(api);
    await load.waitForResponses(202, 200);
    const family = [...(await familyOf((await serversOf(eye.dataDir)).supervisor)), api.process.pid ?? 0];
    signalAll(family, 'SIGKILL');
    await gone(family);
    await load.stop();
    await eye.start();
    await load.expectStored(eye);
  });
});

describe('A second instance of The Eye', () => {
  let eye: TheEye;
  beforeAll(async () => void (eye = await startEmbedded()));
  afterAll(() => eye.close());

  it('is independent of the first on a data folder of its own', async () => {
    const other = await startEmbedded();
    const { body } = await other.store(anEvent());
    expect((await other.get(`/events/${body.id}/`)).status).toBe(200);
    expect((await eye.get(`/events/${body.id}/`)).status).toBe(404);
    await other.close();
    await eye.store(anEvent());
  });

  it('shares events and servers with the first on the same data folder and keeps running when the first stops', async () => {
    const other = await eye.startPeer();
    const { body } = await other.store(anEvent());
    expect((await eye.get(`/events/${body.id}/`)).status).toBe(200);
    const family = await familyOf((await serversOf(eye.dataDir)).supervisor);
    expect(await eye.end()).toBe(0);
    await other.store(anEvent());
    expect(await other.end('SIGKILL')).toBeNull();
    // The servers stop with the last instance.
    await gone(family);
    await eye.start();
    expect((await eye.get(`/events/${body.id}/`)).status).toBe(200);
  });

  it('does not start on a port in use and names the port', async () => {
    const port = Number(new URL(eye.url).port);
    const output = await TheEye.failToStart({ PORT: String(port), DATA_DIR: eye.dataDir });
    expect(output).toMatch('The Eye ended with 1');
    expect(output).toMatch(`Port ${port} is taken; choose another, e.g. PORT=${port + 10} npm start`);
  });
});

describe('The environment', () => {
  it('is validated at start with a message that names every invalid variable and shows no value', async () => {
    const bad = {
      PORT: 'hidden-1',
      ROLE: 'hidden-2',
      DATABASE_URL: 'mysql://user:hidden-3@host/database',
      REDIS_URL: 'host:hidden-4',
      CLICKHOUSE_URL: 'http://user:hidden-5@host/not-a-name',
      QUERY_TIMEOUT: '-1',
      DATA_LIMIT: '1.5',
      WAIT_LIMIT: '1e9',
    };
    const output = await TheEye.failToStart(bad);
    expect(output).toMatch('The Eye ended with 1');
    expect(output).toMatch('The Eye cannot start. Fix these environment variables:');
    for (const name of Object.keys(bad)) expect(output).toMatch(new RegExp(`^ {2}.*\\b${name}\\b`, 'm'));
    expect(output).not.toMatch('hidden');
    expect(output.trim().split('\n')).toHaveLength(2 + Object.keys(bad).length);
  });

  it('may contain empty variables, which get their defaults', async () => {
    const eye = await startEmbedded({ ROLE: '', QUERY_TIMEOUT: '', REDIS_URL: '' });
    await eye.store(anEvent());
    await eye.close();
  });
});

describe('The Eye started by an unprivileged user', () => {
  const account = unprivilegedUser();
  const test = account ? it : it.skip;

  test('works on a data folder of that user', async () => {
    const dataDir = await folder();
    await chown(dataDir, account?.uid ?? 0, account?.gid ?? 0);
    const eye = await TheEye.start({ DATA_DIR: dataDir, HOME: '/nonexistent' }, { account });
    expect(eye.output).not.toMatch(/"level":"(warn|error|fatal)"/);
    const { body } = await eye.store(anEvent());
    const family = await familyOf((await serversOf(dataDir)).supervisor);
    expect(await eye.end()).toBe(0);
    await gone(family);
    await eye.start();
    expect((await eye.get(`/events/${body.id}/`)).status).toBe(200);
    await eye.close();
  });

  test('does not start on a data folder of another user and names the folder', async () => {
    const dataDir = await folder();
    await expect(TheEye.start({ DATA_DIR: dataDir }, { account })).rejects.toThrow(
      new RegExp(`The Eye ended with 1:[^]*The data folder ${dataDir} cannot be used by this user`),
    );
    await remove(dataDir);
  });
});

/** On a slow machine, the build takes more than a minute. */
const BUILD_TIMEOUT_MS = 200_000;

describe('npm start', () => {
  let project: string;
  let npm: ChildProcess;
  let output: string;

  beforeAll(async () => {
    // A copy, so that the build does not delete files that other specs use.
    project = await folder();
    for (const name of [
      'src',
      'packages/client',
      'package.json',
      'package-lock.json',
      'nest-cli.json',
      'tsconfig.json',
      'bundle-packages.js',
    ]) {
      await cp(join(PROJECT, name), join(project, name), { recursive: true });
    }
    await symlink(join(PROJECT, 'node_modules'), join(project, 'node_modules'));
  });
  beforeEach(async () => {
    output = '';
    npm = spawn('npm', ['start'], {
      cwd: project,
      env: {
        PATH: process.env['PATH'],
        HOME: process.env['HOME'],
        PORT: '0',
        DATA_DIR: join(project, 'data'),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      // Starts a process group, as a terminal does for each command.
      detached: true,
    });
    for (const stream of [npm.stdout, npm.stderr]) {
      stream?.on('data', (chunk: Buffer) => (output += chunk.toString()));
    }
    await eventually(() => {
      if (npm.exitCode !== null) throw new Error(`npm ended with ${npm.exitCode}:\n${output}`);
      expect(output).toMatch('The Eye is open.');
      return Promise.resolve();
    }, BUILD_TIMEOUT_MS);
    // The next start finds the build of this one.
    const manifest = join(project, 'package.json');
    const { scripts, ...rest } = JSON.parse(await readFile(manifest, 'utf8')) as { scripts: object };
    await writeFile(manifest, JSON.stringify({ ...rest, scripts: { ...scripts, build: 'true' } }));
  });
  afterEach(() => {
    try {
      process.kill(-(npm.pid ?? 0), 'SIGKILL');
    } catch {
      // Expected: no process of the group is left.
    }
  });
  afterAll(() => remove(project));

  it.each([
    ['Ctrl-C is pressed', (pid: number) => process.kill(-pid, 'SIGINT')],
    ['npm receives SIGTERM', (pid: number) => process.kill(pid, 'SIGTERM')],
    ['npm is killed', (pid: number) => process.kill(pid, 'SIGKILL')],
  ])('leaves no process behind when %s', async (_, end) => {
    const { supervisor, postgres, redis } = await serversOf(join(project, 'data'));
    const family = await familyOf(npm.pid ?? 0);
    expect(family).toEqual(expect.arrayContaining([supervisor, postgres, redis]));
    const ended = once(npm, 'exit');
    end(npm.pid ?? 0);
    await ended;
    await gone(family);
    expect(output).not.toMatch(/"level":"(warn|error|fatal)"/);
  });
});

/** The account `nobody` if root runs the tests and that account can read the program, otherwise undefined. */
function unprivilegedUser(): StartOptions['account'] {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string): number => Number(spawnSync('id', [flag, 'nobody']).stdout.toString() || NaN);
  const account = { uid: id('-u'), gid: id('-g') };
  if (Number.isNaN(account.uid)) return undefined;
  // Absolute paths, because the account may lack access to a parent folder of the project, e.g. a private temporary one.
  const read = 'test -r "$1/dist/main.js" -a -r "$1/node_modules/pg/package.json" -a -x "$0"';
  const { status } = spawnSync('sh', ['-c', read, process.execPath, PROJECT], { cwd: '/', ...account });
  if (status === 0) return account;
  console.warn(
    `The account nobody cannot read ${PROJECT}, so the specs of an unprivileged user are skipped.`,
  );
  return undefined;
}
