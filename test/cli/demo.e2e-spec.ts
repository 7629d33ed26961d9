import { join } from 'node:path';
import { type Ran, runNode } from '../../testing/commands.js';
import { Admin } from '../../testing/keys.js';
import { TheEye } from '../../testing/the-eye.js';
import { startEye } from '../support/start-eye.js';

const DEMO = join(import.meta.dirname, '../../demo/run.ts');

/** Runs `npm run demo -- …args`, without npm. */
const runDemo = (env: Record<string, string>, ...args: string[]): Promise<Ran> =>
  runNode(env, '--import', 'tsx', DEMO, ...args);

describe('npm run demo', () => {
  let eye: TheEye;
  beforeAll(async () => (eye = await startEye({ AUTH: 'required' })));
  afterAll(() => eye.close());

  it.each([
    [
      ['--url', 'http://127.0.0.1:1'],
      /cannot be reached at http:\/\/127\.0\.0\.1:1 \(.+\)\. Start it with: npm start/,
    ],
    [['--url', 'nowhere'], /--url must be an address/],
    [['--events', 'many'], /--events must be a whole number/],
    [['--everything'], /--everything/],
  ])('explains why it cannot start with %j', async (args, words) => {
    const { code, stderr } = await runDemo({}, ...args);
    expect(code).toBe(1);
    expect(stderr).toMatch(words);
    expect(stderr).not.toContain('    at ');
  });

  it.each(['--help', '-h'])('says how it is used with %s', async (option) => {
    const { code, stdout } = await runDemo({}, option);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^npm run demo \[-- --url/);
  });

  it('reports that it needs an admin key', async () => {
    const { code, stderr } = await runDemo({}, '--url', eye.url);
    expect(code).toBe(1);
    expect(stderr).toMatch(/401.*needs a key with the scope admin for all applications: KEY=…/);
  });

  it('stores a week of events for three applications once over repeated runs and revokes its keys', async () => {
    const admin = await Admin.of(eye);
    const count = async (): Promise<number> => {
      await eye.drained();
      const [row] = await eye.sql<{ events: number }>('SELECT count(*)::int AS events FROM events');
      return row?.events ?? 0;
    };
    const args = ['--url', eye.url, '--events', '4000'];
    const first = await runDemo({ KEY: admin.key }, ...args);
    expect(first).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/events were accepted and \d+ refused/),
    });
    const stored = await count();
    expect(stored).toBeGreaterThan(2000);
    // The second run sends only the events since the first one, so that it counts no refusal again.
    const second = await runDemo({ KEY: admin.key }, ...args);
    const [, accepted, refused] = /(\d+) events were accepted and (\d+) refused/.exec(second.stdout) ?? [];
    expect(second.stdout).toMatch(/An earlier run has sent \d,\d{3} more\./);
    expect(Number(accepted)).toBeLessThan(50);
    expect(Number(refused)).toBeLessThan(5);
    expect(await count()).toBeLessThan(stored + 50);

    const [found] = await eye.sql<{ applications: string[]; days: number; refused: string[] }>(
      `SELECT array_agg(DISTINCT application ORDER BY application) AS applications,
              count(DISTINCT date_trunc('day', timestamp))::int AS days,
              (SELECT array_agg(DISTINCT code) FROM rejections) AS refused
       FROM events`,
    );
    expect(found?.applications).toEqual(['demo-desk', 'demo-shop', 'demo-stays']);
    expect(found?.days).toBeGreaterThanOrEqual(7);
    expect(found?.refused.length).toBeGreaterThan(3);
    const good = await eye.sql(
      `SELECT 1 FROM keys WHERE application <> 'administration' AND revoked_at IS NULL`,
    );
    expect(good).toEqual([]);
  });
});
