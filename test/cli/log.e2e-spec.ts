import { Admin, bearer } from '../../testing/keys.js';
import { anEvent, eventually, TheEye } from '../../testing/the-eye.js';
import { startEyeWithClickHouse } from '../support/start-eye.js';

interface Line {
  level: string;
  time: string;
  role: string;
  msg: string;
  [field: string]: unknown;
}

/** The JSON lines so far, without the start message, which is plain text. */
const linesOf = ({ output }: TheEye): Line[] =>
  output
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line));

describe('The log', () => {
  let eye: TheEye;
  let admin: Admin;
  beforeAll(async () => {
    eye = await startEyeWithClickHouse({ AUTH: 'required', LOG_LEVEL: 'debug' });
    admin = await Admin.of(eye);
  });
  afterAll(() => eye.close());

  const lineOf = (reqId: string): Promise<Line> =>
    eventually(() => {
      const line = linesOf(eye).find((one) => one['reqId'] === reqId);
      expect(line).toBeDefined();
      return Promise.resolve(line as Line);
    });

  it('consists of JSON lines, except for the start message', () => {
    const others = eye.output.split('\n').filter((line) => line !== '' && !line.startsWith('{'));
    expect(others[0]).toBe('The Eye is open.');
    for (const line of others.slice(1)) expect(line).toMatch(/^ {2}\w+ +\S+$/);
    for (const line of linesOf(eye)) {
      expect(line).toMatchObject({ role: 'all', msg: expect.stringMatching(/\w/), pid: eye.process.pid });
      expect(new Date(line.time).toISOString()).toBe(line.time);
    }
  });

  it('records the method, route, status and duration of a request under its X-Request-Id', async () => {
    const headers = { ...admin.headers, 'x-request-id': 'from-a-proxy/1' };
    const response = await eye.get('/events/?category=a', headers);
    expect(response.headers.get('x-request-id')).toBe('from-a-proxy/1');
    expect(await lineOf('from-a-proxy/1')).toMatchObject({
      level: 'debug',
      method: 'GET',
      route: '/events',
      status: 200,
      ms: expect.any(Number),
    });
  });

  it.each([
    ['too long', 'x'.repeat(129)],
    ['of invalid characters', 'a"b<c'],
    ['empty', ''],
  ])('replaces an X-Request-Id that is %s', async (_, given) => {
    const { headers } = await eye.get('/health/live', { 'x-request-id': given });
    const made = headers.get('x-request-id') ?? '';
    expect(made).toMatch(/^[\da-f-]{36}$/);
    expect(await lineOf(made)).toMatchObject({ route: '/health/live' });
  });

  it.each([
    ['an unknown route', 'GET', '/nothing', 404],
    ['a request without a key', 'GET', '/events/', 401],
    ['a malformed path', 'GET', '/events/%zz', 400],
    ['an unsupported method', 'PUT', '/events/', 405],
  ])('has an identifier for %s', async (_, method, path, status) => {
    const response = await eye.request(method, path, { headers: { 'x-request-id': 'mine' } });
    expect([response.status, response.headers.get('x-request-id')]).toEqual([status, 'mine']);
  });

  it('contains no payload, key, path or query string of any request', async () => {
    const { key } = await admin.create('shop', { scope: 'ingest' });
    const marker = 'marker-4711';
    const event = anEvent({ session_id: marker, data: { marker } });
    const last = { 'x-request-id': 'the-last-one' };
    for (const body of [
      event,
      [event, {}],
      { ...event, timestamp: marker },
      `{"session_id": "${marker}`,
      marker,
    ]) {
      await eye.post('/events/', body, bearer(key));
      await eye.post(`/events/?key=${key}`, body);
      await eye.post(`/events/?key=${key}&${marker}=1`, body, { 'x-api-key': key });
    }
    await eye.store(event).catch(() => undefined);
    await eye.get(`/events/?session_id=${marker}&x=1`, admin.headers);
    await eye.get(`/events/?session_id=${marker}&key=${key}`, { authorization: `Basic ${btoa(`${key}:`)}` });
    await eye.sql('ALTER TABLE events RENAME TO elsewhere');
    expect((await eye.get(`/sessions/${marker}/`, admin.headers)).status).toBe(500);
    expect((await eye.get(`/events/?session_id=${marker}`, { ...admin.headers, ...last })).status).toBe(500);
    await eye.sql('ALTER TABLE elsewhere RENAME TO events');
    const failure = await lineOf('the-last-one');
    expect(failure).toMatchObject({ level: 'error', err: { message: expect.stringContaining('events') } });
    expect(linesOf(eye).length).toBeGreaterThan(15);
    expect(eye.output).not.toContain(marker);
    expect(eye.output).not.toContain(key);
    expect(eye.output).not.toMatch(/eye_(ingest|read|admin)_/);
  });
});

describe('The log at the default level', () => {
  let eye: TheEye;
  beforeAll(async () => void (eye = await startEyeWithClickHouse()));
  afterAll(() => eye.close());

  it('contains a line for each 5xx response and none for other requests', async () => {
    await eye.store(anEvent());
    await eye.post('/events/', {});
    await eye.get('/nothing');
    await eye.redis((redis) => redis.client('PAUSE', 2500, 'WRITE'));
    const { status, headers } = await eye.post('/events/', anEvent());
    expect(status).toBe(503);
    const line = await eventually(() => {
      const requests = linesOf(eye).filter(({ reqId }) => reqId !== undefined);
      expect(requests).toHaveLength(1);
      return Promise.resolve(requests[0]);
    });
    expect(line).toMatchObject({ level: 'warn', status: 503, reqId: headers.get('x-request-id') });
  });
});
