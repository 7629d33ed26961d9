import { randomBytes } from 'node:crypto';
import { type Admin, bearer } from '../../testing/keys.js';
import { eventually, type TheEye } from '../../testing/the-eye.js';
import { startEyeWithKey } from '../support/start-eye.js';
import { allStoredWhere, type StoredEvent } from '../support/stored.js';

const SHOP = 'https://shop.example';
const unknownKey = (): string => `eye_ingest_${randomBytes(32).toString('base64url')}`;

/** The hashes in which arrivals are remembered. */
const RECENT = 'the-eye:arrivals:{shop}:recent';
const ARRIVALS = [RECENT, 'the-eye:arrivals:{shop}:earlier'];

/** Adds 2,500 ids. */
const FILL = `for n = 1, 2500 do redis.call('HSET', KEYS[1], ARGV[1] + n, '') end`;

const track = (messageId: string, more: object = {}): Record<string, unknown> => ({
  type: 'track',
  event: 'Order Completed',
  anonymousId: 'anon',
  messageId,
  timestamp: new Date().toISOString(),
  ...more,
});

describe('The dialects, with AUTH=required,', () => {
  let eye: TheEye;
  let admin: Admin;
  let key: string;
  let readKey: string;

  beforeAll(async () => {
    ({ eye, admin, key } = await startEyeWithKey({ allowed_origins: [SHOP] }));
    ({ key: readKey } = await admin.create('shop', { scope: 'read' }));
  });
  afterAll(() => eye.close());

  const send = (body: unknown, headers: Record<string, string> = {}, path = '/v1/batch'): Promise<any> =>
    eye.request('POST', path, {
      headers: { 'content-type': 'text/plain', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  const storedOf = (messageId: string): Promise<StoredEvent[]> =>
    allStoredWhere(eye, `data->>'messageId' = $1`, messageId);
  const rejections = async (): Promise<any[]> => (await eye.get('/rejections/', admin.headers)).body.results;

  describe('a key', () => {
    it.each([
      ['in the body', () => [{ writeKey: key }, {}, '']],
      ['as a bearer token', () => [{}, bearer(key), '']],
      [
        'as the user name of Basic authentication',
        () => [{}, { authorization: `Basic ${btoa(`${key}:`)}` }, ''],
      ],
      ['in the query under the name of its protocol', () => [{}, {}, `?writeKey=${key}`]],
      ['in the query', () => [{}, {}, `?key=${key}`]],
      ['in a header of its protocol, with a secret', () => [{}, { 'x-write-key': `${key}:secret` }, '']],
      ['in the body of a page of its origin', () => [{ writeKey: key }, { origin: SHOP }, '']],
    ] as [string, () => [object, Record<string, string>, string]][])(
      'counts %s, and the event belongs to its application',
      async (title, present) => {
        const [members, headers, query] = present();
        const response = await send({ ...members, batch: [track(title)] }, headers, `/v1/batch${query}`);
        expect({ status: response.status, body: response.body }).toEqual({
          status: 200,
          body: { success: true },
        });
        const events = await storedOf(title);
        expect(events).toHaveLength(1);
        expect(events[0]?.application).toBe('shop');
        expect(JSON.stringify(events[0]?.data)).not.toContain(key);
      },
    );

    it.each([
      ['that is missing', () => [{}, {}], 401],
      ['of another system', () => [{ writeKey: 'WRITEKEY123' }, {}], 401],
      ['that is unknown', () => [{ writeKey: unknownKey() }, {}], 401],
      ['of scope read, in the body', () => [{ writeKey: readKey }, {}], 401],
      ['of scope read, in a header', () => [{}, bearer(readKey)], 403],
      [
        'in the body of a page of another origin',
        () => [{ writeKey: key }, { origin: 'https://evil.example' }],
        403,
      ],
      ['that is no text', () => [{ writeKey: { key } }, {}], 401],
    ] as [string, () => [object, Record<string, string>], number][])(
      'is refused if it is one %s',
      async (title, present, status) => {
        const [members, headers] = present();
        const response = await send({ ...members, batch: [track(title)] }, headers);
        expect(response.status).toBe(status);
        expect(Object.keys(response.body)).toEqual(['code', 'message']);
        expect(await storedOf(title)).toEqual([]);
      },
    );

    it('is looked for in a body of at most a mebibyte; with a key in a header, BODY_LIMIT holds', async () => {
      const batch = Array.from({ length: 30 }, (_, index) =>
        track(`large ${index}`, { properties: { text: 'x'.repeat(40_000) } }),
      );
      expect((await send({ writeKey: key, batch })).status).toBe(413);
      expect((await send({ writeKey: key, batch }, bearer(key))).status).toBe(200);
    });
  });

  describe('an item', () => {
    it('is stored although its neighbours are refused, which are kept as they were sent', async () => {
      const wrong = { type: 'track', event: 'No session', messageId: 'wrong' };
      const inexact = `{"type":"track","event":"Inexact","anonymousId":"a","messageId":"inexact","properties":{"n":1e400}}`;
      const notUtf8 = Buffer.from(
        `{"type":"track","event":"\xff","anonymousId":"a","messageId":"latin"}`,
        'latin1',
      );
      const emoji = Buffer.from([0xed, 0xa0, 0xbc, 0xed, 0xbe, 0x89]);
      const cesu8 = Buffer.concat([
        Buffer.from(`{"type":"track","event":"`),
        emoji,
        Buffer.from(`","anonymousId":"a","messageId":"cesu8"}`),
      ]);
      const body = Buffer.concat([
        Buffer.from(`{"batch":[${JSON.stringify(wrong)},${inexact},7,`),
        notUtf8,
        Buffer.from(','),
        cesu8,
        Buffer.from(`,${JSON.stringify(track('right'))}]}`),
      ]);
      const response = await eye.request('POST', '/v1/batch', { headers: bearer(key), body });
      expect(response.status).toBe(200);
      expect(await storedOf('right')).toHaveLength(1);
      expect(await storedOf('cesu8')).toMatchObject([{ name: '🎉' }]);
      const found = await eventually(async () => {
        const results = (await rejections()).filter(({ dialect }) => dialect === 'segment');
        expect(results).toHaveLength(4);
        return results;
      });
      const byCode = Object.fromEntries(found.map((rejection) => [rejection.code, rejection]));
      expect(byCode).toMatchObject({
        missing_field: { event: wrong, application: 'shop', whole: true },
        not_exact: { event: inexact, whole: true },
        wrong_type: { event: 7 },
        not_utf8: { whole: false },
      });
    });

    it('without a time gets that of its first arrival, so that it is stored once however often it is sent', async () => {
      const item = track('timeless', { timestamp: undefined });
      for (let attempt = 0; attempt < 3; attempt++) {
        await send({ batch: [item], sentAt: new Date().toISOString() }, bearer(key));
        await eye.drained();
      }
      expect(await storedOf('timeless')).toHaveLength(1);
    });

    it('without a time is one of a bounded number whose arrivals are remembered', async () => {
      const item = track('one of many', { timestamp: undefined });
      const sendOnce = async (sent: unknown): Promise<void> => {
        expect((await send({ batch: [sent] }, bearer(key))).status).toBe(200);
        await eye.drained();
      };
      const sizes = (): Promise<number[]> =>
        eye.redis((redis) => Promise.all(ARRIVALS.map((hash) => redis.hlen(hash))));
      // One step after the other, because The Eye refuses events while Redis does not reply.
      const fill = (): Promise<void> =>
        eye.redis(async (redis) => {
          for (let step = 0; step < 100; step++) await redis.eval(FILL, 1, RECENT, step * 2500);
        });
      await sendOnce(item);
      await fill();
      const full = (await sizes())[0] as number;
      await sendOnce(item);
      expect(await sizes()).toEqual([0, full]);
      expect(await storedOf('one of many')).toHaveLength(1);
      await sendOnce(track('another', { timestamp: undefined }));
      await fill();
      await sendOnce(track('one more', { timestamp: undefined }));
      expect(await sizes()).toEqual([1, 250_001]);
      const left = await eye.redis((redis) => Promise.all(ARRIVALS.map((hash) => redis.ttl(hash))));
      for (const seconds of left) expect(seconds).toBeGreaterThan(86_400);
    });

    it('stands beside the skew of its client’s clock, which is not part of it', async () => {
      const item = track('skewed');
      for (const seconds of [3600, 7200]) {
        const sentAt = new Date(Date.now() - seconds * 1000).toISOString();
        expect((await send({ batch: [item], sentAt }, bearer(key))).status).toBe(200);
        await eye.drained();
      }
      const [event, ...others] = await storedOf('skewed');
      expect(others).toEqual([]);
      expect(Math.round((event?.clock_skew_ms ?? 0) / 600_000)).toBe(6);
      expect(event?.data).toEqual(item);
    });

    it('that was refused is translated again when it is retried', async () => {
      const timestamp = new Date(Date.now() + 301_000).toISOString();
      await send({ batch: [track('ahead', { timestamp })] }, bearer(key));
      const rejection = await eventually(async () => {
        const found = (await rejections()).find(({ code }) => code === 'timestamp_in_future');
        expect(found).toBeDefined();
        return found;
      });
      expect(rejection).toMatchObject({ name: 'Order Completed', session_id: 'anon', dialect: 'segment' });
      await eventually(async () => {
        const { status } = await eye.post(`/rejections/${rejection.id}/retry/`, undefined, admin.headers);
        expect(status).toBe(202);
      });
      expect(await storedOf('ahead')).toHaveLength(1);
    });
  });

  it('record an item that is nested too deep, which is found as its text also after its retry gave it another code', async () => {
    const item = `${'['.repeat(5000)}${']'.repeat(5000)}`;
    await send(`{"batch":[${item}]}`, bearer(key));
    const newest = (code: string): Promise<any> =>
      eventually(async () => {
        const [first] = await rejections();
        expect([first?.code, first?.dialect, first?.event === item]).toEqual([code, 'segment', true]);
        return first;
      });
    const { id } = await newest('too_deep');
    const retried = await eye.post(`/rejections/${id}/retry/`, undefined, admin.headers);
    expect([retried.status, retried.body.code]).toEqual([409, 'still_refused']);
    const rejection = await newest('wrong_type');
    const { status, headers, body } = await eye.get(`/rejections/${id}/`, admin.headers);
    expect([status, headers.get('content-type')]).toEqual([200, 'application/json; charset=utf-8']);
    expect(body).toEqual(rejection);
  });

  it('report and record a body that is not JSON', async () => {
    const { status, body } = await send('{"batch":[{]}', bearer(key));
    expect({ status, body }).toEqual({
      status: 400,
      body: { code: 'malformed_json', message: expect.stringMatching(/^Not valid JSON/) },
    });
    await eventually(async () =>
      expect((await rejections())[0]).toMatchObject({
        code: 'malformed_json',
        event: '{"batch":[{]}',
        dialect: 'segment',
      }),
    );
  });
});
