import pg from 'pg';
import { Load } from '../support/load.js';
import { OwnPostgres } from '../support/servers.js';
import { anEvent, type Answer, eventually, inLog, onTime, TheEye } from '../../testing/the-eye.js';
import { startEye } from '../support/start-eye.js';

describe('PostgreSQL', () => {
  let postgres: OwnPostgres;
  let eye: TheEye;
  beforeAll(async () => {
    postgres = await OwnPostgres.start();
    eye = await startEye({ DATABASE_URL: postgres.url, QUERY_TIMEOUT: '1000', STORE_TIMEOUT: '1000' });
  });
  afterAll(async () => {
    await eye.close();
    await postgres.close();
  });

  /** A reader is told at once, in a form that programs understand, that he may ask again. */
  const expectUnavailable = ({ status, headers, body }: Answer): void => {
    expect({ status, code: body.code }).toEqual({ status: 503, code: 'database_unavailable' });
    expect(headers.get('retry-after')).toMatch(/^\d+$/);
    expect(headers.get('content-type')).toMatch('application/problem+json');
  };

  const readable = (): Promise<void> =>
    eventually(async () => expect((await eye.get('/events/')).status).toBe(200));

  it('that is late is told to stop, and the reader that it was', async () => {
    const holder = new pg.Client({ connectionString: postgres.url });
    await holder.connect();
    try {
      await holder.query('BEGIN; LOCK TABLE events IN ACCESS EXCLUSIVE MODE');
      const answer = await eye.get('/events/?session_id=nobody');
      expectUnavailable(answer);
      expect(answer.body.detail).toMatch('did not answer in time');
      await eventually(async () =>
        expect(
          await eye.sql(
            `SELECT query FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query ~ 'session_id'`,
          ),
        ).toEqual([]),
      );
    } finally {
      await holder.end();
    }
  });

  describe.each([
    ['stopped', () => postgres.stop()],
    ['killed', () => postgres.kill()],
  ])('that is %s while events arrive', (_, end) => {
    let load: Load;
    beforeAll(async () => {
      load = Load.on(eye);
      await load.answered(202, 50);
      await end();
    });

    it('does not keep anybody from sending', async () => {
      await load.answered(202, 200);
      expect([...load.statuses.keys()]).toEqual([202]);
      expect(load.longest).toBeLessThan(onTime(2000));
    });

    it('does not keep a page of The Eye itself from sending', async () => {
      expect((await eye.post('/events/', anEvent(), { origin: eye.url })).status).toBe(202);
    });

    it.each(['/events/', '/events/0176bd3b-005b-80ee-8ee4-da401add9c02/', '/rejections/'])(
      'lets GET %s answer 503 at once',
      async (path) => {
        const answer = await eye.get(path);
        expectUnavailable(answer);
        expect(answer.took).toBeLessThan(onTime(2000));
      },
    );

    it('gets every event that was accepted once it is back, each once', async () => {
      await postgres.start();
      await load.answered(202, 50);
      await load.expectStored();
      await readable();
    });
  });

  describe('that has stopped answering', () => {
    let load: Load;
    beforeAll(async () => {
      load = Load.on(eye);
      await load.answered(202, 50);
      await postgres.freeze();
    });

    it('lets readers wait no longer than QUERY_TIMEOUT, more readers than there are connections', async () => {
      const answers = await Promise.all(Array.from({ length: 30 }, () => eye.get('/events/?page_size=1')));
      for (const answer of answers) {
        expectUnavailable(answer);
        // A connection is waited for, too.
        expect(answer.took).toBeLessThan(onTime(3500));
      }
    });

    it('does not keep anybody from sending', async () => {
      await load.answered(202, 200);
      expect([...load.statuses.keys()]).toEqual([202]);
      expect(load.longest).toBeLessThan(onTime(2000));
    });

    it('lets who prefers to wait for a second wait for a second', async () => {
      const answer = await eye.post('/events/', anEvent(), { prefer: 'wait=1' });
      expect(answer.status).toBe(202);
      expect(answer.took).toBeLessThan(onTime(2000));
    });

    it('does not keep The Eye from stopping in seconds', async () => {
      await load.stop();
      const began = Date.now();
      expect(await eye.end()).toBe(0);
      expect(Date.now() - began).toBeLessThan(10_000);
    });

    it('gets every event that was accepted once it answers again, each once', async () => {
      await postgres.thaw();
      await eye.start();
      await load.expectStored();
      await readable();
    });
  });

  describe('that is away', () => {
    const path = '/event-types/form%20interaction/submit/';
    const put = (schema: object): Promise<Answer> =>
      eye.request('PUT', path, {
        body: JSON.stringify({ schema, mode: 'enforce' }),
        headers: { 'content-type': 'application/json' },
      });
    const submit = (): Promise<Answer> =>
      eye.post('/events/', anEvent({ category: 'form interaction', name: 'submit', data: { age: 'x' } }));
    beforeAll(async () => {
      expect((await put({ properties: { age: { type: 'integer' } } })).status).toBe(201);
      await postgres.stop();
    });

    it('leaves the event types as they are known, and lets nobody change them', async () => {
      // Longer than The Eye takes to ask for changes, and to be refused.
      await new Promise((resolve) => setTimeout(resolve, 2500));
      expect((await submit()).body.errors).toEqual({ 'data.age': ['must be integer, not "x"'] });
      for (const answer of [
        await put({}),
        await eye.get(path),
        await eye.request('DELETE', path),
        await eye.get('/event-types/'),
        await eye.get(`${path}versions/`),
        await eye.get(`${path}suggestion/`),
        await eye.post(`${path}check/`, { schema: {} }),
      ])
        expectUnavailable(answer);
      expect((await submit()).status).toBe(400);
    });

    it('lets who prefers to wait know when the wait is over that the event is queued', async () => {
      const event = anEvent();
      const { status, body, took } = await eye.post('/events/', event, { prefer: 'wait=1' });
      expect({ status, body }).toEqual({ status: 202, body: { id: expect.any(String), status: 'queued' } });
      expect(took).toBeGreaterThan(900);
      expect(took).toBeLessThan(onTime(2000));
    });

    it('does not keep The Eye from stopping in seconds, and gets the events after its next start', async () => {
      const load = Load.on(eye);
      await load.answered(202, 50);
      await load.stop();
      const began = Date.now();
      expect(await eye.end()).toBe(0);
      expect(Date.now() - began).toBeLessThan(5000);
      await postgres.start();
      await eye.start();
      await load.expectStored();
      expect((await submit()).status).toBe(400);
      expect((await put({})).status).toBe(200);
      expect((await submit()).status).toBe(202);
    });
  });

  describe('that is away when The Eye starts', () => {
    beforeAll(async () => {
      await eye.end();
      await postgres.stop();
      await eye.start();
    });

    it('lets it answer 503 to events too, since nobody knows yet what their types must look like', async () => {
      expectUnavailable(await eye.post('/events/', anEvent()));
      expectUnavailable(await eye.get('/events/'));
    });

    it('does not keep it from stopping in seconds', async () => {
      const began = Date.now();
      expect(await eye.end()).toBe(0);
      expect(Date.now() - began).toBeLessThan(5000);
      await eye.start();
    });

    it('lets it accept and store events as soon as it comes', async () => {
      const event = anEvent();
      await postgres.start();
      const { body } = await eventually(async () => {
        const answer = await eye.post('/events/', event);
        expect(answer.status).toBe(202);
        return answer;
      });
      await eventually(async () => {
        const found = await eye.get(`/events/${body.id}/`);
        expect(found.body).toEqual({ ...event, application: 'default', id: body.id });
      });
    });
  });

  describe('that does not know', () => {
    beforeAll(() => postgres.start());

    it.each([
      ['the database', '/the_eye?', '/elsewhere?', 'database "elsewhere" does not exist'],
      ['the user', '//the_eye@', '//nobody:s3cret@', 'role "nobody" does not exist'],
    ])('%s of DATABASE_URL says so at start, and ends The Eye', async (_, from, to, message) => {
      const output = await TheEye.failToStart({ DATABASE_URL: postgres.url.replace(from, to) });
      expect(output).toMatch('The Eye ended with 1');
      expect(output).toMatch(`PostgreSQL refuses the connection: ${inLog(message)}`);
      expect(output).not.toMatch('s3cret');
    });
  });
});
