import { get } from 'node:http';
import type { Browser } from 'playwright-core';
import { startBrowser, Viewer } from '../../testing/browser.js';
import { Admin, bearer } from '../../testing/keys.js';
import { anEvent, eventually, TheEye } from '../../testing/the-eye.js';
import { startEye } from '../support/start-eye.js';
import { StrippingProxy } from '../support/stripping-proxy.js';

const basic = (key: string): Record<string, string> => ({ authorization: `Basic ${btoa(`${key}:`)}` });

describe('The queue board', () => {
  let proxy: StrippingProxy;
  let eye: TheEye;
  let admin: Admin;
  let browser: Browser;
  beforeAll(async () => {
    proxy = await StrippingProxy.start(() => eye.url);
    // Without a worker, jobs stay in the queue.
    eye = await startEye({ AUTH: 'required', ROLE: 'api', PUBLIC_URL: proxy.url });
    admin = await Admin.of(eye);
    browser = await startBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    proxy?.close();
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

  it.each(['queues', 'queues/', 'docs', 'docs/'])(
    'loads no resource of another host and violates no Content-Security-Policy below a base path: %s',
    async (path) => {
      const context = await browser.newContext({
        extraHTTPHeaders: basic(admin.headers['authorization']?.slice(7) ?? ''),
      });
      const page = await context.newPage();
      const strangers: string[] = [];
      const complaints: string[] = [];
      page.on('request', (request) => request.url().startsWith(proxy.url) || strangers.push(request.url()));
      page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
      page.on('pageerror', (error) => complaints.push(String(error)));
      await page.goto(new URL(path, proxy.url).href);
      await eventually(async () =>
        expect(await page.innerText('body')).toMatch(
          path.startsWith('docs') ? /Send events/ : /ingestion[^]*1\s*Job/i,
        ),
      );
      expect([strangers, complaints]).toEqual([[], []]);
      await context.close();
    },
  );

  it('is served beside the page, which asks the API below the base path', async () => {
    const viewer = await Viewer.open(browser, proxy.url.replace(/\/$/, ''));
    await viewer.goto('#/events');
    await viewer.page.getByRole('textbox').fill(admin.key);
    await viewer.page.keyboard.press('Enter');
    await viewer.page.getByText('Send the first event from a shell').waitFor();
    expect(await viewer.page.innerText('.first pre')).toContain(`${proxy.url}events/`);
    expect(viewer.foreignUrls()).toEqual([]);
    await viewer.close();
  });

  it('is served beside links that begin with PUBLIC_URL, and a document that names it', async () => {
    const below = (address: string | null): boolean => address?.startsWith(proxy.url) ?? false;
    const { headers } = await eye.post('/events/', anEvent(), admin.headers);
    const { pathname } = new URL(proxy.url);
    expect(headers.get('location')).toMatch(new RegExp(`^${pathname}events/[\\da-f-]{36}/$`));
    const made = await eye.post('/applications/', { name: 'links' }, admin.headers);
    expect(made.headers.get('location')).toBe(`${pathname}applications/links/`);
    for (const name of ['a', 'b'])
      await eye.request('PUT', `/event-types/links/${name}`, {
        body: '{"schema":{},"mode":"observe"}',
        headers: { ...admin.headers, 'content-type': 'application/json' },
      });
    const { next } = (await eye.get('/event-types/?limit=1', admin.headers)).body;
    expect([next, below(next)]).toEqual([next, true]);
    expect((await eye.get(next, admin.headers)).status).toBe(200);
    expect((await eye.get('/docs-json')).body.servers).toEqual([{ url: proxy.url.replace(/\/$/, '') }]);
  });

  it('is served to no other host once PUBLIC_URL is set', async () => {
    const asked = (host: string): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        get(`${eye.url}/health/live`, { headers: { host } }, (response) => {
          resolve(response.resume().statusCode);
        }).on('error', reject);
      });
    expect([await asked('other.example'), await asked('localhost'), await asked('10.0.0.1:80')]).toEqual([
      421, 200, 200,
    ]);
  });

  it('responds with 503 while Redis does not reply', async () => {
    await eye.redis((redis) => redis.client('PAUSE', 6000, 'ALL'));
    const { status, body, headers } = await eye.get('/queues/api/queues', admin.headers);
    expect([status, body.code, headers.get('retry-after')]).toEqual([503, 'queue_unavailable', '1']);
  });
});
