import { anEvent, type EyeResponse, eventually, TheEye } from '../../testing/the-eye.js';
import { startEye } from '../support/start-eye.js';

describe('POST /events', () => {
  let eye: TheEye;
  beforeAll(async () => void (eye = await startEye()));
  afterAll(() => eye.close());

  const rows = async (session: string): Promise<number> => {
    await eye.drained();
    const [row] = await eye.sql<{ count: number }>('SELECT count(*)::int FROM events WHERE session_id = $1', [
      session,
    ]);
    return row?.count ?? -1;
  };

  it('stores an event once when 1000 requests send it concurrently', async () => {
    const event = anEvent();
    // On a busy machine Redis may confirm too late, after which a sender sends again.
    const send = (): Promise<EyeResponse> =>
      eventually(async () => {
        const response = await eye.post('/events/', event);
        expect(response.body.code).not.toBe('queue_unavailable');
        return response;
      });
    const responses = await Promise.all(Array.from({ length: 1000 }, send));
    expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([202]));
    expect(new Set(responses.map(({ body }) => body.id)).size).toBe(1);
    expect(await rows(event.session_id)).toBe(1);
  });

  it('stores an event once regardless of key order, number format and timestamp format', async () => {
    const { session_id } = anEvent();
    const format = (data: string, timestamp: string): string =>
      `{"timestamp":"${timestamp}","data":${data},"name":"n","category":"c","session_id":"${session_id}"}`;
    const formatted = [
      format('{"a":{"x":1,"y":[1,2]},"b":"é"}', '2021-01-01T09:15:29.240000Z'),
      format('{"b":"\\u00e9","a":{"y":[1.0,2e0],"x":1}}', '2021-01-01 09:15:29.24'),
      format(' { "b" : "é" , "a" : { "x" : 10e-1 , "y" : [ 1 , 2.00 ] } } ', '2021-01-01T11:15:29.24+02:00'),
      format('{"a":{"x":1,"y":[1,2]},"\\u0062":"é"}', '2020-12-31T22:45:29.2400-1030'),
      format('{"a":{"x":1,"y":[1,2]},"b":"é"}', '2021-01-01T10:15:29.240000000+01'),
    ];
    const responses = await Promise.all(formatted.map((text) => eye.post('/events/', text)));
    expect(responses.map(({ status }) => status)).toEqual(formatted.map(() => 202));
    expect(new Set(responses.map(({ body }) => body.id)).size).toBe(1);
    expect(await rows(session_id)).toBe(1);
  });

  it('stores events separately when they differ in one field', async () => {
    const event = anEvent();
    const variants = [
      { category: 'other' },
      { name: 'other' },
      { data: { ...event.data, more: null } },
      { data: { host: event.data['path'], path: event.data['host'] } },
      { timestamp: '2021-01-01T09:15:29.243861Z' },
    ].map((fields) => ({ ...event, ...fields }));
    const { body } = await eye.post('/events/', [event, ...variants]);
    expect(new Set(body.ids).size).toBe(6);
    expect(await rows(event.session_id)).toBe(6);
  });

  it('stores an event once when one request repeats it', async () => {
    const event = anEvent();
    const { body } = await eye.post(
      '/events/',
      Array.from({ length: 50 }, () => event),
    );
    expect(body.accepted).toBe(50);
    expect(await rows(event.session_id)).toBe(1);
  });

  it('stores each event once when clients send the same 3000 events concurrently in opposite orders', async () => {
    const { session_id } = anEvent();
    const events = Array.from({ length: 3000 }, (_, n) => anEvent({ session_id, data: { n } }));
    const reversed = [...events].reverse();
    // A slow machine rejects some requests with 503; the client retries them.
    const send = (many: unknown[]): Promise<void> =>
      eventually(async () => {
        const { status, body } = await eye.post('/events/', many);
        expect([status, body.accepted]).toEqual([202, 3000]);
      }, 60_000);
    await Promise.all(Array.from({ length: 8 }, (_, n) => send(n % 2 === 0 ? events : reversed)));
    expect(await rows(session_id)).toBe(3000);
  });
});
