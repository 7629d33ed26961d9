import pg from 'pg';
import { Load } from '../support/load.js';
import { OwnPostgres } from '../support/servers.js';
import { anEvent, type Answer, eventually, inLog, onTime, TheEye } from '../../testing/the-eye.js';
import { startEye } from '../support/start-eye.js';

describe('PostgreSQL faults', () => {
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

  /** Expects the problem document that asks a client to retry. */
  const expectUnavailable = ({ status, headers, body }: Answer): void => {
    expect({ status, code: body.code }).toEqual({ status: 503, code: 'database_unavailable' });
    expect(headers.get('retry-after')).toMatch(/^\d+$/);
    expect(headers.get('content-type')).toMatch('application/problem+json');
  };

  const untilReadable = (): Promise<void> =>
    eventually(async () => expect((await eye.get('/events/')).status).toBe(200));

  it('GET /events returns 503 and cancels its statement after QUERY_TIMEOUT', async () => {
    const locker = new pg.Client({ connectionString: postgres.url });
    await locker.connect();
    try {
      await locker.query('BEGIN; LOCK TABLE events IN ACCESS EXCLUSIVE MODE');
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
      await locker.end();
    }
  });

  describe.each([
    ['stopped', () => postgres.stop()],
    ['killed', () => postgres.kill()],
  ])('With PostgreSQL %s while events arrive', (_, end) => {
    let load: Load;
    beforeAll(async () => {
      load = Load.on(eye);
      await load.answered(202, 50);
      await end();
    });

    it('POST /events keeps returning 202', async () => {
      await load.answered(202, 200);
      expect([...load.statuses.keys()]).toEqual([202]);
      expect(load.longest).toBeLessThan(onTime(2000));
    });

    it('POST /events accepts an event from a page of The Eye', async () => {
      expect((await eye.post('/events/', anEvent(), { origin: eye.url })).status).toBe(202);
    });

    it.each(['/events/', '/events/0176bd3b-005b-80ee-8ee4-da401add9c02/', '/rejections/'])(
      'GET %s returns 503 within two seconds',
      async (path) => {
        const answer = await eye.get(path);
        expectUnavailable(answer);
        expect(answer.took).toBeLessThan(onTime(2000));
      },
    );

    it('every accepted event is stored once after the restart', async () => {
      await postgres.start();
      await load.answered(202, 50);
      await load.expectStored();
      await untilReadable();
    });
  });

  describe('With PostgreSQL frozen', () => {
    let load: Load;
    beforeAll(async () => {
      load = Load.on(eye);
      await load.answered(202, 50);
      await postgres.freeze();
    });

    it('GET /events returns 503 after a bounded time, even with more readers than connections', async () => {
      const answers = await Promise.all(Array.from({ length: 30 }, () => eye.get('/events/?page_size=1')));
      for (const answer of answers) {
        expectUnavailable(answer);
        // Includes the wait for a connection.
        expect(answer.took).toBeLessThan(onTime(3500));
      }
    });

    it('POST /events keeps returning 202', async () => {
      await load.answered(202, 200);
      expect([...load.statuses.keys()]).toEqual([202]);
      expect(load.longest).toBeLessThan(onTime(2000));
    });

    it('POST /events with Prefer: wait=1 returns 202', async () => {
      const answer = await eye.post('/events/', anEvent(), { prefer: 'wait=1' });
      expect(answer.status).toBe(202);
      expect(answer.took).toBeLessThan(onTime(2000));
    });

    it('The Eye stops cleanly', async () => {
      await load.stop();
      // The exit code would be 1 after 30 seconds.
      expect(await eye.end()).toBe(0);
    });

    it('every accepted event is stored once after PostgreSQL resumes', async () => {
      await postgres.thaw();
      await eye.start();
      await load.expectStored();
      await untilReadable();
    });
  });

  describe('With PostgreSQL stopped', () => {
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

    it('known event types stay in force and their routes return 503', async () => {
      await eventually(() => {
        expect(eye.output).toMatch('The event types cannot be refreshed');
        return Promise.resolve();
      });
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

    it('POST /events with Prefer: wait=1 reports the event as queued after one second', async () => {
      const event = anEvent();
      const { status, body, took } = await eye.post('/events/', event, { prefer: 'wait=1' });
      expect({ status, body }).toEqual({ status: 202, body: { id: expect.any(String), status: 'queued' } });
      expect(took).toBeGreaterThan(900);
      expect(took).toBeLessThan(onTime(2000));
    });

    it('The Eye stops cleanly and stores the accepted events after its next start', async () => {
      const load = Load.on(eye);
      await load.answered(202, 50);
      await load.stop();
      expect(await eye.end()).toBe(0);
      await postgres.start();
      await eye.start();
      await load.expectStored();
      expect((await submit()).status).toBe(400);
      expect((await put({})).status).toBe(200);
      expect((await submit()).status).toBe(202);
    });
  });

  describe('With PostgreSQL unavailable when The Eye starts', () => {
    beforeAll(async () => {
      await eye.end();
      await postgres.stop();
      await eye.start();
    });

    it('POST /events and GET /events return 503, because the event types are not loaded yet', async () => {
      expectUnavailable(await eye.post('/events/', anEvent()));
      expectUnavailable(await eye.get('/events/'));
    });

    it('The Eye stops cleanly', async () => {
      expect(await eye.end()).toBe(0);
      await eye.start();
    });

    it('The Eye accepts and stores events as soon as PostgreSQL is available', async () => {
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

  describe('With an invalid DATABASE_URL', () => {
    beforeAll(() => postgres.start());

    it.each([
      ['the database', '/the_eye?', '/elsewhere?', 'database "elsewhere" does not exist'],
      ['the user', '//the_eye@', '//nobody:s3cret@', 'role "nobody" does not exist'],
    ])('The Eye exits with 1 and logs that %s does not exist', async (_, from, to, message) => {
      const output = await TheEye.failToStart({ DATABASE_URL: postgres.url.replace(from, to) });
      expect(output).toMatch('The Eye ended with 1');
      expect(output).toMatch(`PostgreSQL refuses the connection: ${inLog(message)}`);
      expect(output).not.toMatch('s3cret');
    });
  });
});
