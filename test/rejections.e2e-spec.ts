import { anEvent, eventually, TheEye } from './support/the-eye.js';

describe('Events that PostgreSQL refuses', () => {
  const batch = Array.from({ length: 300 }, (_, index) =>
    anEvent({
      session_id: 'batch',
      name: [0, 7, 8, 299].includes(index) ? 'refused' : 'pageview',
      data: { index, price: 0.1, text: 'ü 𝄞', deep: [null, { yes: true }] },
    }),
  );
  const refused = batch.filter(({ name }) => name === 'refused');
  let eye: TheEye;
  beforeAll(async () => {
    eye = await TheEye.start();
    await eye.sql(`ALTER TABLE events ADD CONSTRAINT none_refused CHECK (name <> 'refused') NOT VALID`);
    const { status, body } = await eye.post('/events/', batch);
    expect({ status, accepted: body.accepted }).toEqual({ status: 202, accepted: batch.length });
    await eye.drained();
  });
  afterAll(() => eye.close());

  const list = async (query = ''): Promise<any[]> => {
    const { status, body } = await eye.get(`/rejections/${query}`);
    expect(status).toBe(200);
    return body;
  };

  it('do not keep their neighbours in the same job from being stored', async () => {
    const { body } = await eye.get('/events/?session_id=batch&page_size=1000');
    const indexes = body.results.map(({ data }: any) => data.index).sort((a: number, b: number) => a - b);
    expect(indexes).toEqual(batch.filter(({ name }) => name !== 'refused').map(({ data }) => data['index']));
  });

  it('are found at GET /rejections/, as they were sent, with the words of PostgreSQL', async () => {
    const rejections = await list();
    expect(rejections).toHaveLength(refused.length);
    for (const event of refused) {
      const rejection = rejections.find((each) => each.event.data.index === event.data['index']);
      expect(rejection).toEqual({
        id: rejection.event.id,
        code: 'not_storable',
        message: 'new row for relation "events" violates check constraint "none_refused"',
        event: expect.objectContaining(event),
        rejected_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/),
      });
    }
  });

  it('are listed newest first, and from after any of them on', async () => {
    const rejections = await list();
    const times = rejections.map(({ rejected_at }) => rejected_at);
    expect(times).toEqual([...times].sort().reverse());
    expect(await list(`?after=${rejections[1].id}`)).toEqual(rejections.slice(2));
    expect(await list(`?after=${rejections.at(-1).id}`)).toEqual([]);
  });

  it('are found each at GET /rejections/<id>/', async () => {
    for (const rejection of await list()) {
      const { status, body } = await eye.get(`/rejections/${rejection.id}/`);
      expect({ status, body }).toEqual({ status: 200, body: rejection });
    }
  });

  it('are not found among the events', async () => {
    const [{ id }] = await list();
    expect((await eye.get(`/events/${id}/`)).status).toBe(404);
  });

  it('are told to who waits for their being stored as queued', async () => {
    const { status, body } = await eye.post('/events/', refused[0], { prefer: 'wait=1' });
    expect({ status, body }).toEqual({ status: 202, body: { id: expect.any(String), status: 'queued' } });
    await eye.drained();
    expect(await list()).toHaveLength(refused.length);
  });

  it('come back when they are retried and refused again', async () => {
    const before = (await list()).at(-1);
    const { status, body } = await eye.post(`/rejections/${before.id}/retry/`, '');
    expect({ status, body }).toEqual({ status: 202, body: { id: before.id, status: 'queued' } });
    await eventually(async () => {
      const [newest] = await list();
      expect(newest).toEqual({ ...before, rejected_at: expect.any(String) });
      expect(newest.rejected_at > before.rejected_at).toBe(true);
    });
    expect(await list()).toHaveLength(refused.length);
  });

  it('are stored when they are retried and taken, and are rejections no more', async () => {
    await eye.sql('ALTER TABLE events DROP CONSTRAINT none_refused');
    const [first, ...others] = await list();
    expect((await eye.post(`/rejections/${first.id}/retry`, '')).status).toBe(202);
    await eye.drained();
    expect((await eye.get(`/events/${first.id}/`)).body).toEqual({
      ...refused.find(({ data }) => data['index'] === first.event.data.index),
      application: 'default',
      id: first.id,
    });
    expect(await list()).toEqual(others);
    expect((await eye.get(`/rejections/${first.id}/`)).status).toBe(404);
    for (const { id } of others) expect((await eye.post(`/rejections/${id}/retry/`, '')).status).toBe(202);
    await eye.drained();
    expect(await list()).toEqual([]);
    const [row] = await eye.sql<{ stored: number }>('SELECT count(*)::int AS stored FROM events');
    expect(row?.stored).toBe(batch.length);
  });

  it.each([
    ['GET', '/rejections/0176bd3b-005b-80ee-8ee4-da401add9c02/'],
    ['GET', '/rejections/nonsense/'],
    ['GET', '/rejections/?after=0176bd3b-005b-80ee-8ee4-da401add9c02'],
    ['GET', '/rejections/?after=nonsense'],
    ['POST', '/rejections/0176bd3b-005b-80ee-8ee4-da401add9c02/retry/'],
    ['POST', '/rejections/nonsense/retry/'],
  ])('answer 404 to %s %s', async (method, path) => {
    const { status, body, headers } = await eye.request(method, path);
    expect({ status, code: body.code }).toEqual({ status: 404, code: 'not_found' });
    expect(headers.get('content-type')).toMatch('application/problem+json');
  });
});
