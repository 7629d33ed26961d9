import { execFile } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Block, blocksOf, firstColumn, readPage, readPages, ROOT } from '../support/pages.js';
import { pythonWith } from '../support/python.js';
import { Copy } from '../support/replication.js';
import { anEvent, eventually, TheEye } from '../../testing/the-eye.js';

const run = promisify(execFile);

/** Skipped: blocks that install, start or test something or need Docker. They have their own specs or take minutes. */
const NOT_RUN =
  /\b(apt-get install|pip install|docker compose|npm ci|npm test|npm run test:|npx nest start)\b/;

/** Parts of the requests that a page shows as examples of a rejection. Every other request must succeed. */
const REFUSED = ['"2026-02-30T09:15:31Z"', '"data": {"host": 42}'];

/**
 * Runs before each block. `curl` prints the status to standard error. It reads an event stream, which never ends, for two
 * seconds.
 */
const PRELUDE = `
  curl() {
    case " $* " in *' -N '*) command curl --max-time 2 "$@" || true; return ;; esac
    command curl --silent --show-error -w '%{stderr}HTTP %{http_code}\\n' "$@"
  }
`;

/** The first line of a statement for ClickHouse, perhaps followed by its parameters. */
const TO_QUERY = '-- POST /query/';

const python = pythonWith('ssl');
if (python === undefined) console.warn('Skipped: the examples in Python: there is no python3.');

const titleOf = ({ page, line }: Block): string => `${page}:${line}`;

describe('The documentation', () => {
  const blocks = readPages().flatMap(blocksOf);
  const inLanguage = (language: string): [string, Block][] =>
    blocks.filter((block) => block.language === language).map((block) => [titleOf(block), block]);

  let eye: TheEye;
  /** The working directory of the examples: looks like the repository to npm and otherwise contains no files. */
  let folder: string;
  let env: Record<string, string>;

  beforeAll(async () => {
    eye = await TheEye.start();
    // Rows for the queries and deletions in docs/sql.md, in addition to the events of the other examples.
    await eye.store([
      anEvent({ data: { price: 120 }, timestamp: new Date().toISOString() }),
      anEvent({ session_id: 'visit-0' }),
    ]);
    await new Copy(eye).caughtUp();
    folder = await mkdtemp(join(tmpdir(), 'eye-docs-'));
    for (const name of ['package.json', 'dist', 'node_modules'])
      await symlink(join(ROOT, name), join(folder, name));
    env = {
      PATH: process.env['PATH'] ?? '',
      HOME: process.env['HOME'] ?? '',
      DATA_DIR: eye.dataDir,
      EYE_URL: eye.url,
    };
  });
  afterAll(async () => {
    await eye.close();
    await rm(folder, { recursive: true, force: true });
  });

  const shell = async (command: string): Promise<{ stdout: string; statuses: number[] }> => {
    const script = PRELUDE + command.replaceAll('http://127.0.0.1:8000', eye.url);
    const { stdout, stderr } = await run('bash', ['-euo', 'pipefail', '-c', script], { cwd: folder, env });
    return { stdout, statuses: [...stderr.matchAll(/^HTTP (\d+)$/gm)].map(([, status]) => Number(status)) };
  };

  it.each(inLanguage('sh').filter(([, { code }]) => !NOT_RUN.test(code)))(
    'contains working commands at %s',
    async (_, { code }) => {
      const { statuses } = await shell(code);
      await eye.drained();
      const refused = REFUSED.some((part) => code.includes(part))
        ? statuses.filter((status) => status === 400)
        : [];
      expect(statuses.filter((status) => status >= 300)).toEqual(refused);
      if (code.includes('curl') && !code.includes('curl -N'))
        expect(code.includes('split') || statuses.length > 0).toBe(true);
    },
  );

  it.each(inLanguage('sql').filter(([, { code }]) => code.startsWith(TO_QUERY)))(
    'contains a working SQL statement for POST /query/ at %s',
    async (_, { code }) => {
      const [first = '', ...lines] = code.split('\n');
      const parameters = JSON.parse(first.slice(TO_QUERY.length) || '{}') as unknown;
      const { status, body } = await eventually(async () => {
        const response = await eye.post('/query/', { sql: lines.join('\n'), parameters });
        expect(response.status).not.toBe(503);
        return response;
      });
      expect({ status, body }).toMatchObject({ status: 200, body: { truncated: false } });
    },
  );

  it.each(inLanguage('sql').filter(([, { code }]) => !code.startsWith(TO_QUERY)))(
    'contains a working SQL statement at %s, which returns rows if it is a query',
    async (_, { code }) => {
      const rows = await eye.sql(code);
      if (code.startsWith('SELECT')) expect(rows.length).toBeGreaterThan(0);
    },
  );

  it('contains statements in docs/sql.md that delete all data of a session', async () => {
    expect((await eye.get('/events/?session_id=visit-0')).body.count).toBe(0);
    expect((await eye.get('/sessions/visit-0/')).status).toBe(404);
  });

  const storedEvents = async (): Promise<number> => {
    await eye.drained();
    return Number((await eye.sql('SELECT count(*) FROM events'))[0]?.['count']);
  };

  const sends = async (program: () => Promise<unknown>): Promise<void> => {
    const before = await storedEvents();
    await program();
    expect(await storedEvents()).toBeGreaterThan(before);
  };

  it.each(inLanguage('js'))('contains a Node program at %s that sends its events', async (_, { code }) => {
    const file = join(folder, 'send.mjs');
    await writeFile(file, code);
    await sends(() => run(process.execPath, [file], { env }));
  });

  (python === undefined ? it.skip : it).each(inLanguage('python'))(
    'contains a Python program at %s that sends its events',
    async (_, { code }) => {
      const file = join(folder, 'send.py');
      await writeFile(file, code);
      const PYTHONPATH = join(ROOT, 'packages/python');
      await sends(() =>
        run('python3', [file], { env: { ...env, PYTHONPATH, PYTHONDONTWRITEBYTECODE: '1' } }),
      );
    },
  );

  it('sends events with current timestamps in README, so that the dashboard shows them', async () => {
    const events = (await eye.get('/events/?session_id=visit-1')).body.results as { timestamp: string }[];
    expect(events.length).toBeGreaterThan(0);
    for (const { timestamp } of events) expect(Date.now() - Date.parse(timestamp)).toBeLessThan(3_600_000);
    await new Copy(eye).caughtUp();
    const top = await eye.get('/statistics/top/');
    expect(top.body.total).toBeGreaterThan(0);
  });

  it('lists every route of the OpenAPI document in docs/api.md, and those of other protocols in docs/send', async () => {
    const { paths } = (await eye.get('/docs-json')).body as { paths: Record<string, Record<string, object>> };
    const routesOf = (isDialect: boolean): string[] =>
      Object.entries(paths).flatMap(([path, methods]) =>
        Object.entries(methods)
          .filter(([, operation]) => 'x-dialect' in operation === isDialect)
          .map(([method]) => `${method.toUpperCase()} ${path.replace(/{(\w+)}/g, '<$1>')}`),
      );
    const routes = routesOf(false);
    const listed = firstColumn(readPage('docs/api.md'), 'Routes')
      .flatMap((cell) => [...cell.matchAll(/[A-Z]+ \/[^\s,]*/g)])
      .map(([route]) => route.replace(/\/$/, ''));
    expect(routes.length).toBeGreaterThan(20);
    expect(routes.filter((route) => !listed.includes(route))).toEqual([]);
    const send = readPages()
      .filter(({ path }) => path.startsWith('docs/send/'))
      .map(({ text }) => text)
      .join('\n');
    expect(routesOf(true).filter((route) => !send.includes(route.split(' ')[1] as string))).toEqual([]);
  });
});
