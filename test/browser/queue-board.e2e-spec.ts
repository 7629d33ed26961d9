import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';
import { Admin, bearer } from '../../testing/keys.js';
import { anEvent, eventually, TheEye } from '../../testing/the-eye.js';
import { startEye } from '../support/start-eye.js';

const CHROMIUM = '/usr/bin/chromium';

const basic = (key: string): Record<string, string> => ({ authorization: `Basic ${btoa(`${key}:`)}` });

describe('The queue board', () => {
  let eye: TheEye;
  let admin: Admin;
  let browser: Browser;
  beforeAll(async () => {
    if (!existsSync(CHROMIUM))
      throw new Error(`There is no ${CHROMIUM}: apt-get install --no-install-recommends chromium`);
    // Without a worker, jobs stay in the queue.
    eye = await startEye({ AUTH: 'required', ROLE: 'api' });
    admin = await Admin.of(eye);
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
    });
  });
  afterAll(async () => {
    await browser?.close();
    await eye?.close();
  });

  it.each([
    '/queues',
    '/queues/',
    '/queues/api/queues',
    '/queues/static/images/logo.svg',
    '/queues/queue/ingestion',
  ])('requires an admin key: %s', async (path) => {
    const withoutKey = await eye.get(path);
    expect([withoutKey.status, withoutKey.body.code]).toEqual([401, 'unauthorized']);
    expect(withoutKey.headers.get('www-authenticate')).toContain('Basic');
    for (const scope of ['ingest', 'read']) {
      const { key } = await admin.create('shop', { scope });
      const { status, body } = await eye.get(path, bearer(key));
      expect([status, body.code]).toEqual([403, 'forbidden']);
    }
    expect((await eye.get(path, admin.headers)).status).toBe(200);
  });

  it('shows waiting jobs with their size and without payloads', async () => {
    await eye.post('/events/', anEvent({ data: { marker: 'payload-4711' } }), admin.headers);
    const { body } = await eye.get('/queues/api/queues?activeQueue=ingestion&status=waiting', admin.headers);
    const [queue] = body.queues;
    expect(queue).toMatchObject({ name: 'ingestion', readOnlyMode: true, counts: { waiting: 1 } });
    expect(queue.jobs).toHaveLength(1);
    expect(queue.jobs[0].data).toEqual({ bytes: expect.any(Number) });
    const one = await eye.get(`/queues/api/queues/ingestion/${queue.jobs[0].id}`, admin.headers);
    expect(one.status).toBe(200);
    expect(JSON.stringify([body, one.body])).not.toContain('payload-4711');
  });

  it.each([
    ['PUT', '/queues/api/queues/ingestion/pause'],
    ['PUT', '/queues/api/queues/ingestion/empty'],
    ['PUT', '/queues/api/queues/ingestion/obliterate'],
    ['PUT', '/queues/api/queues/ingestion/1/clean'],
    ['PUT', '/queues/api/queues/ingestion/1/promote'],
    ['PUT', '/queues/api/queues/pause'],
    ['POST', '/queues/api/queues/ingestion/add'],
  ])('is read-only: %s %s changes nothing', async (method, path) => {
    const body = JSON.stringify({ name: 'batch', data: {}, options: {} });
    const headers = { ...admin.headers, 'content-type': 'application/json' };
    await eye.request(method, path, { body, headers });
    const { body: after } = await eye.get('/queues/api/queues', admin.headers);
    expect(after.queues[0]).toMatchObject({ isPaused: false, counts: { waiting: 1 } });
  });

  it.each(['/queues/', '/docs'])(
    'loads no resource of another host and violates no Content-Security-Policy: %s',
    async (path) => {
      const context = await browser.newContext({
        extraHTTPHeaders: basic(admin.headers['authorization']?.slice(7) ?? ''),
      });
      const page = await context.newPage();
      const hosts = new Set<string>();
      const complaints: string[] = [];
      page.on('request', (request) => hosts.add(new URL(request.url()).origin));
      page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
      page.on('pageerror', (error) => complaints.push(String(error)));
      await page.goto(new URL(path, eye.url).href);
      await eventually(async () =>
        expect(await page.innerText('body')).toMatch(
          path === '/docs' ? /Send events/ : /ingestion[^]*1\s*Job/i,
        ),
      );
      expect([[...hosts], complaints]).toEqual([[eye.url], []]);
      await context.close();
    },
  );

  it('responds with 503 while Redis does not reply', async () => {
    await eye.redis((redis) => redis.client('PAUSE', 6000, 'ALL'));
    const { status, body, headers } = await eye.get('/queues/api/queues', admin.headers);
    expect([status, body.code, headers.get('retry-after')]).toEqual([503, 'queue_unavailable', '1']);
  });
});
