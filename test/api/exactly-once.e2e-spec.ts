import { anEvent, eventually, TheEye } from '../../testing/the-eye.js';
import { startEye } from '../support/start-eye.js';

describe('Each event is stored exactly once', () => {
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

  it('however often it is sent at once', async () => {
    const event = anEvent();
    const answers = await Promise.all(Array.from({ length: 1000 }, () => eye.post('/events/', event)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    expect(await rows(event.session_id)).toBe(1);
  });

  it('in whatever order its keys stand, however its numbers and its instant are spelt', async () => {
    const { session_id } = anEvent();
    const spelt = (data: string, timestamp: string): string =>
      `{"timestamp":"${timestamp}","data":${data},"name":"n","category":"c","session_id":"${session_id}"}`;
    const spellings = [
      spelt('{"a":{"x":1,"y":[1,2]},"b":"é"}', '2021-01-01T09:15:29.240000Z'),
      spelt('{"b":"\\u00e9","a":{"y":[1.0,2e0],"x":1}}', '2021-01-01 09:15:29.24'),
      spelt(' { "b" : "é" , "a" : { "x" : 10e-1 , "y" : [ 1 , 2.00 ] } } ', '2021-01-01T11:15:29.24+02:00'),
      spelt('{"a":{"x":1,"y":[1,2]},"\\u0062":"é"}', '2020-12-31T22:45:29.2400-1030'),
      spelt('{"a":{"x":1,"y":[1,2]},"b":"é"}', '2021-01-01T10:15:29.240000000+01'),
    ];
    const answers = await Promise.all(spellings.map((text) => eye.post('/events/', text)));
    expect(answers.map(({ status }) => status)).toEqual(spellings.map(() => 202));
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    expect(await rows(session_id)).toBe(1);
  });

  it('and is another event as soon as one field differs', async () => {
    const event = anEvent();
    const others = [
      { category: 'other' },
      { name: 'other' },
      { data: { ...event.data, more: null } },
      { data: { host: event.data['path'], path: event.data['host'] } },
      { timestamp: '2021-01-01T09:15:29.243861Z' },
    ].map((fields) => ({ ...event, ...fields }));
    const { body } = await eye.post('/events/', [event, ...others]);
    expect(new Set(body.ids).size).toBe(6);
    expect(await rows(event.session_id)).toBe(6);
  });

  it('also where it stands several times in one request', async () => {
    const event = anEvent();
    const { body } = await eye.post(
      '/events/',
      Array.from({ length: 50 }, () => event),
    );
    expect(body.accepted).toBe(50);
    expect(await rows(event.session_id)).toBe(1);
  });

  it('when many senders send the same thousands of events in opposite orders', async () => {
    const { session_id } = anEvent();
    const events = Array.from({ length: 3000 }, (_, n) => anEvent({ session_id, data: { n } }));
    const backwards = [...events].reverse();
    // On a slow machine some are asked to come back, and do.
    const send = (many: unknown[]): Promise<void> =>
      eventually(async () => {
        const { status, body } = await eye.post('/events/', many);
        expect([status, body.accepted]).toEqual([202, 3000]);
      }, 30_000);
    await Promise.all(Array.from({ length: 8 }, (_, n) => send(n % 2 === 0 ? events : backwards)));
    expect(await rows(session_id)).toBe(3000);
  });
});
