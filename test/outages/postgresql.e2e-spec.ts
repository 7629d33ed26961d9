import pg from 'pg';
import { POOL_SIZES } from '../../src/platform/database/connections.js';
import { Load } from '../support/load.js';
import { OwnPostgres } from '../support/servers.js';
import {
  anEvent,
  type EyeResponse,
  type Event,
  eventually,
  inLog,
  onTime,
  TheEye,
} from '../../testing/the-eye.js';
import { startEye } from '../support/start-eye.js';

/** A query that is stuck in PostgreSQL, and one that waits for its turn meanwhile. */
const AWAY_OR_BUSY = /^(database_unavailable|busy)$/;

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
  const expectUnavailable = (
    { status, headers, body }: EyeResponse,
    code = /^database_unavailable$/,
  ): void => {
    expect({ status, code: body.code }).toEqual({ status: 503, code: expect.stringMatching(code) });
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
      const response = await eye.get('/events/?session_id=nobody');
      expectUnavailable(response);
      expect(response.body.detail).toMatch('did not answer in time');
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

  it('With readers that wait for a lock on every connection for questions, The Eye stores events and is ready', async () => {
    const locker = new pg.Client({ connectionString: postgres.url });
    await locker.connect();
    try {
      await locker.query('BEGIN; LOCK TABLE rejections IN ACCESS EXCLUSIVE MODE');
      const readers = Array.from({ length: 20 }, () => eye.get('/rejections/'));
      await eventually(async () =>
        expect(
          await eye.sql(
            `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query ~ 'rejections'`,
          ),
        ).toHaveLength(POOL_SIZES.read),
      );
      await eye.store(anEvent());
      expect((await eye.get('/health/ready')).status).toBe(200);
      for (const response of await Promise.all(readers)) expectUnavailable(response, AWAY_OR_BUSY);
    } finally {
      await locker.end();
    }
  });

  describe('With a trigger that fails', () => {
    /** Makes PostgreSQL refuse events, by an expression that is null for those that it stores. */
    const failWith = (sqlState: string): Promise<unknown> =>
      eye.sql(`
        CREATE OR REPLACE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$
          DECLARE state text := ${sqlState};
          BEGIN
            IF state IS NOT NULL THEN RAISE EXCEPTION 'no 漢' USING ERRCODE = state; END IF;
            RETURN NEW;
          END $$;
        CREATE OR REPLACE TRIGGER fail BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION fail()`);
    const deadLetters = async (): Promise<any[]> =>
      (await eye.get('/rejections/?outcome=set_aside')).body.results;
    const stored = async (session: string): Promise<string[]> =>
      (await eye.get(`/events/?session_id=${session}&page_size=1000`)).body.results.map(
        ({ name }: Event) => name,
      );
    afterAll(() => eye.sql('DROP FUNCTION fail CASCADE'));

    it('for every event with an unknown error, events wait and none is dead-lettered; for one of them, only that one is', async () => {
      await failWith(`'XX000'`);
      const events = ['a', 'poison', 'b'].map((name) => anEvent({ session_id: 'unknown', name }));
      expect((await eye.post('/events/', events)).status).toBe(202);
      // The fifth attempt asks whether an ordinary event can be stored.
      await eventually(() => {
        expect(eye.output.match(/PostgreSQL failed \(no 漢 \[XX000\]\)/g)?.length).toBeGreaterThan(4);
        return Promise.resolve();
      });
      expect(await deadLetters()).toEqual([]);
      await failWith(`CASE NEW.name WHEN 'poison' THEN 'XX000' END`);
      await eventually(async () => expect((await stored('unknown')).sort()).toEqual(['a', 'b']));
      await eventually(async () =>
        expect(await deadLetters()).toEqual([
          expect.objectContaining({ code: 'refused_by_database', event: events[1] }),
        ]),
      );
    });

    it('for a row without a partition, the event is parked, other events are stored, and it is stored later', async () => {
      await failWith(`CASE NEW.name WHEN 'unplaced' THEN '23514' END`);
      const events = ['a', 'unplaced', 'b'].map((name) => anEvent({ session_id: 'unplaced', name }));
      expect((await eye.post('/events/', events)).status).toBe(202);
      await eventually(async () => expect((await stored('unplaced')).sort()).toEqual(['a', 'b']));
      await eventually(() => {
        expect(eye.output).toMatch('PostgreSQL can neither store nor dead-letter event');
        return Promise.resolve();
      });
      expect(await deadLetters()).toHaveLength(1);
      expect((await eye.get('/metrics')).body).toMatch(/^the_eye_backlog_delayed_jobs\S* [1-9]/m);
      await failWith('NULL');
      await retryParked();
      await eventually(async () => expect((await stored('unplaced')).sort()).toEqual(['a', 'b', 'unplaced']));
    });

    it('for an event whose texts the table of rejections refuses too, the dead letter is written in ASCII and is exact', async () => {
      await failWith(`CASE NEW.name WHEN '毒' THEN 'P0001' END`);
      await eye.sql(`ALTER TABLE rejections ADD CONSTRAINT is_ascii CHECK (event ~ '^[ -~]*$') NOT VALID`);
      const event = anEvent({ name: '毒', data: { text: '漢\u0001😀' } });
      expect((await eye.post('/events/', event)).status).toBe(202);
      await eventually(async () => {
        const [newest] = await deadLetters();
        expect(newest).toMatchObject({ name: '?', event, errors: { event: ['no ?'] } });
      });
      await eye.sql('ALTER TABLE rejections DROP CONSTRAINT is_ascii');
    });

    /** Retries the parked event now instead of in a minute. */
    const retryParked = (): Promise<void> =>
      eventually(() =>
        eye.redis(async (redis) => {
          const key = 'the-eye:ingestion:delayed';
          const [job] = await redis.zrange(key, 0, 0);
          if (job === undefined) throw new Error('No job is delayed.');
          await redis.zadd(key, 'XX', 0, job);
        }),
      );
  });

  it('With a periodic job that fails again and again, The Eye logs it once with its cause, counts the failures, and logs that it works again', async () => {
    await eye.sql(`
      CREATE FUNCTION fail_copy() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no copy'; END $$;
      CREATE TRIGGER fail_copy BEFORE UPDATE ON replication_state EXECUTE FUNCTION fail_copy()`);
    await eye.store(anEvent());
    await eventually(async () =>
      expect((await eye.get('/metrics')).body).toMatch(
        /^the_eye_periodic_task_failures_total\S*task="copy events to ClickHouse"\S* ([3-9]|\d\d)/m,
      ),
    );
    const logged = (text: string): number => eye.output.split(text).length - 1;
    expect(logged('Could not copy events to ClickHouse (no copy [P0001])')).toBe(1);
    // Nothing is lost, so the process can do its work.
    expect((await eye.get('/health/ready')).status).toBe(200);
    await eye.sql('DROP FUNCTION fail_copy CASCADE');
    await eventually(() => {
      expect(logged('The job works again: copy events to ClickHouse.')).toBe(1);
      return Promise.resolve();
    });
  });

  describe.each([
    ['stopped', () => postgres.stop()],
    ['killed', () => postgres.kill()],
  ])('With PostgreSQL %s while events arrive', (_, end) => {
    let load: Load;
    beforeAll(async () => {
      load = Load.on(eye);
      await load.waitForResponses(202, 50);
      await end();
    });

    it('POST /events keeps returning 202', async () => {
      await load.waitForResponses(202, 200);
      expect([...load.statuses.keys()]).toEqual([202]);
      expect(load.longest).toBeLessThan(onTime(2000));
    });

    it('POST /events accepts an event from a page of The Eye', async () => {
      expect((await eye.post('/events/', anEvent(), { origin: eye.url })).status).toBe(202);
    });

    it.each(['/events/', '/events/0176bd3b-005b-80ee-8ee4-da401add9c02/', '/rejections/'])(
      'GET %s returns 503 within two seconds',
      async (path) => {
        const response = await eye.get(path);
        expectUnavailable(response);
        expect(response.took).toBeLessThan(onTime(2000));
      },
    );

    it('every accepted event is stored once after the restart', async () => {
      await postgres.start();
      await load.waitForResponses(202, 50);
      await load.expectStored();
      await untilReadable();
    });
  });

  describe('With PostgreSQL frozen', () => {
    let load: Load;
    beforeAll(async () => {
      load = Load.on(eye);
      await load.waitForResponses(202, 50);
      await postgres.freeze();
    });

    it('GET /events returns 503 after a bounded time, even with more readers than connections', async () => {
      const responses = await Promise.all(Array.from({ length: 30 }, () => eye.get('/events/?page_size=1')));
      for (const response of responses) {
        expectUnavailable(response, AWAY_OR_BUSY);
        // Includes the wait for a connection.
        expect(response.took).toBeLessThan(onTime(3500));
      }
    });

    it('POST /events keeps returning 202', async () => {
      await load.waitForResponses(202, 200);
      expect([...load.statuses.keys()]).toEqual([202]);
      expect(load.longest).toBeLessThan(onTime(2000));
    });

    it('POST /events with Prefer: wait=1 returns 202', async () => {
      const response = await eye.post('/events/', anEvent(), { prefer: 'wait=1' });
      expect(response.status).toBe(202);
      expect(response.took).toBeLessThan(onTime(2000));
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
    const put = (schema: object): Promise<EyeResponse> =>
      eye.request('PUT', path, {
        body: JSON.stringify({ schema, mode: 'enforce' }),
        headers: { 'content-type': 'application/json' },
      });
    const submit = (): Promise<EyeResponse> =>
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
      for (const response of [
        await put({}),
        await eye.get(path),
        await eye.request('DELETE', path),
        await eye.get('/event-types/'),
        await eye.get(`${path}versions/`),
      ])
        expectUnavailable(response);
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
      await load.waitForResponses(202, 50);
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
        const response = await eye.post('/events/', event);
        expect(response.status).toBe(202);
        return response;
      });
      await eventually(async () => {
        const found = await eye.get(`/events/${body.id}/`);
        expect(found.body).toEqual({ ...event, application: 'default', id: body.id });
      });
    });
  });

  describe('With an invalid DATABASE_URL', () => {
    beforeAll(async () => {
      await postgres.start();
      await postgres.createDatabase('latin1', 'template0', `ENCODING LATIN1 LOCALE 'C' LOCALE_PROVIDER libc`);
    });

    it.each([
      ['the database', '/the_eye?', '/elsewhere?', 'database "elsewhere" does not exist'],
      ['the encoding', '/the_eye?', '/latin1?', 'The encoding of the database is LATIN1'],
      ['the user', '//the_eye@', '//nobody:s3cret@', 'role "nobody" does not exist'],
    ])('The Eye exits with 1 and logs that %s is wrong', async (_, from, to, message) => {
      const output = await TheEye.failToStart({ DATABASE_URL: postgres.url.replace(from, to) });
      expect(output).toMatch('The Eye ended with 1');
      expect(output).toMatch(inLog(message));
      expect(output).not.toMatch('s3cret');
    });
  });
});
