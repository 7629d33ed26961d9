import { jest } from '@jest/globals';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEye } from './node.js';
import { ScriptedServer } from './testing/scripted-server.js';
import type { Eye, EyeNodeOptions, EyeProblem } from './types.js';

const ALWAYS_LOST = Array.from({ length: 100 }, () => 'lost' as const);

describe('A client', () => {
  let server: ScriptedServer;
  let problems: EyeProblem[];
  const open: Eye[] = [];

  beforeEach(async () => {
    server = await ScriptedServer.start();
    problems = [];
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((eye) => eye.close(0)));
    server.close();
  });

  const start = (options: Partial<EyeNodeOptions> = {}): Eye => {
    const eye = createEye({
      url: server.url,
      interval: 5,
      maxDelay: 10,
      onError: (problem) => problems.push(problem),
      ...options,
    });
    open.push(eye);
    return eye;
  };

  /** Flushes until nothing waits, as the client does by itself after its delays. */
  const drained = async (eye: Eye): Promise<void> => {
    while (!(await eye.flush()));
  };

  const trackMany = async (eye: Eye, count: number): Promise<void> => {
    await Promise.all(Array.from({ length: count }, (_, n) => eye.track('counted', { n })));
  };

  const numbers = (): unknown[] => server.accepted.map(({ data }) => (data as { n?: number }).n);
  const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

  it('sends an event with a session, a category and a timestamp of microseconds', async () => {
    const eye = start({ key: 'eye_ingest_x', gzip: false });
    expect(await eye.track('signup', { plan: 'pro' })).toBe(true);
    expect(await eye.page()).toBe(true);
    await eye.flush();
    expect(server.requests[0]?.headers).toMatchObject({
      authorization: 'Bearer eye_ingest_x',
      'content-type': 'application/json',
    });
    const [signup, view] = server.accepted;
    expect(signup).toEqual({
      session_id: expect.stringMatching(/^[0-9a-f]{32}$/),
      category: 'track',
      name: 'signup',
      data: { plan: 'pro' },
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/),
    });
    expect(view).toMatchObject({
      category: 'page interaction',
      name: 'pageview',
      session_id: signup?.session_id,
    });
  });

  it('sends many events in few requests, compressed, each with a timestamp of its own', async () => {
    const eye = start({ interval: 60_000 });
    await trackMany(eye, 500);
    await drained(eye);
    expect(numbers()).toEqual(upTo(500));
    expect(new Set(server.accepted.map(({ timestamp }) => timestamp)).size).toBe(500);
    expect(server.requests.length).toBeLessThan(12);
    expect(server.requests.filter(({ events }) => events.length > 50).every(({ isZipped }) => isZipped)).toBe(
      true,
    );
  });

  it('sends plain text to a server that cannot read compressed bodies, and loses nothing', async () => {
    server.script.push({ status: 400, body: { code: 'malformed_json' } });
    const eye = start({ interval: 60_000, batch: 50 });
    await trackMany(eye, 50);
    await drained(eye);
    expect(server.requests.map(({ isZipped }) => isZipped)).toEqual([true, false]);
    expect(numbers()).toEqual(upTo(50));
    expect(problems).toEqual([]);
  });

  it.each([
    ['a lost response', 'lost'],
    ['500', { status: 500 }],
    ['503', { status: 503 }],
    ['429', { status: 429 }],
    ['a success that is not of The Eye', { status: 200, body: { welcome: 'to this hotel' } }],
    ['a 400 that is not of The Eye', { status: 400 }],
  ] as const)('sends the same bytes again after %s', async (_, reply) => {
    server.script.push(reply);
    const eye = start({ gzip: false });
    await eye.track('signup');
    await drained(eye);
    const [first, second] = server.requests;
    expect(server.requests).toHaveLength(2);
    expect(second?.events).toEqual(first?.events);
    expect(server.accepted).toHaveLength(1);
  });

  it('retries by itself, and not before the Retry-After of the server', async () => {
    server.script.push({ status: 429, headers: { 'retry-after': '1' } });
    const eye = start();
    await eye.track('signup');
    while (server.accepted.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    const [first, second] = server.requests;
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(990);
    expect(server.requests).toHaveLength(2);
  });

  it('keeps events while its key is refused, and reports it once', async () => {
    server.script.push({ status: 401 }, { status: 401 }, { status: 403 });
    const eye = start();
    await eye.track('signup');
    await drained(eye);
    expect(problems).toEqual([{ code: 'refused', status: 401, detail: {} }]);
    expect(server.accepted).toHaveLength(1);
  });

  it('halves batches that are too large, and drops an event that is too large alone', async () => {
    const tooLarge = { status: 413 };
    server.script.push(tooLarge, tooLarge, tooLarge);
    const eye = start({ interval: 60_000, batch: 4 });
    await trackMany(eye, 4);
    await drained(eye);
    expect(server.requests.map(({ events }) => events.length)).toEqual([4, 2, 1, 1, 1, 1]);
    expect(numbers()).toEqual([1, 2, 3]);
    expect(problems).toEqual([
      { code: 'rejected', status: 413, event: expect.objectContaining({ data: { n: 0 } }), detail: {} },
    ]);
  });

  it('sends many events in a request again after one that was too large', async () => {
    server.script.push({ status: 413 });
    const eye = start({ interval: 60_000 });
    await eye.track('too large');
    await drained(eye);
    await trackMany(eye, 7);
    await drained(eye);
    expect(server.requests.map(({ events }) => events.length)).toEqual([1, 1, 2, 4]);
  });

  it('reports which events The Eye rejects, and does not send them again', async () => {
    const rejected = [{ index: 1, errors: { name: ['Too long.'] } }];
    server.script.push(
      { status: 202, body: { accepted: 1, rejected, ids: ['an id'] } },
      { status: 400, body: { code: 'invalid', rejected: [{ index: 0, errors: { data: ['No.'] } }] } },
    );
    const eye = start({ interval: 60_000, batch: 2 });
    await trackMany(eye, 2);
    await drained(eye);
    await eye.track('other');
    await drained(eye);
    expect(server.requests).toHaveLength(2);
    expect(problems).toEqual([
      {
        code: 'rejected',
        status: 202,
        event: expect.objectContaining({ data: { n: 1 } }),
        detail: { name: ['Too long.'] },
      },
      {
        code: 'rejected',
        status: 400,
        event: expect.objectContaining({ name: 'other' }),
        detail: { data: ['No.'] },
      },
    ]);
  });

  it('drops the oldest events of a full queue, and reports each', async () => {
    const eye = start({ interval: 60_000, maxQueued: 3 });
    await trackMany(eye, 5);
    await drained(eye);
    expect(numbers()).toEqual([2, 3, 4]);
    expect(problems.map(({ code, event }) => [code, event?.data])).toEqual([
      ['overflow', { n: 0 }],
      ['overflow', { n: 1 }],
    ]);
  });

  it('lets a hook change and drop events', async () => {
    const eye = start({
      beforeSend: (event) => (event.name === 'secret' ? null : { ...event, data: { seen: true } }),
    });
    expect(await eye.track('secret')).toBe(false);
    expect(await eye.track('open', { password: 'x' })).toBe(true);
    await drained(eye);
    expect(server.accepted).toEqual([expect.objectContaining({ name: 'open', data: { seen: true } })]);
  });

  it('throws nothing into the application: not from hooks, nor from JSON', async () => {
    const failing = start({
      beforeSend: () => {
        throw new Error('A hook failed.');
      },
      onError: () => {
        throw new Error('This hook failed, too.');
      },
    });
    expect(await failing.track('a')).toBe(false);
    const eye = start();
    expect(await eye.track('b', { big: 1n })).toBe(false);
    expect(problems).toEqual([
      expect.objectContaining({ code: 'failed', detail: expect.any(TypeError) as unknown }),
    ]);
    expect(await eye.close()).toBe(true);
    expect(await eye.track('after its end')).toBe(false);
  });

  it('retries until its time to close is over', async () => {
    server.script.push('lost', { status: 503 });
    const eye = start({ interval: 60_000 });
    await eye.track('signup');
    expect(await eye.close(30_000)).toBe(true);
    expect(server.requests).toHaveLength(3);
  });

  it('retries not before the Retry-After of the server while it closes', async () => {
    const busy = { status: 429, headers: { 'retry-after': '60' } };
    server.script.push(busy, busy);
    const eye = start({ interval: 60_000 });
    await eye.track('signup');
    expect(await eye.flush()).toBe(false);
    // A third request would succeed.
    expect(await Promise.all([eye.close(1000), eye.close()])).toEqual([false, false]);
  });

  it('aborts the request under way when its time to close is over, and keeps the event', async () => {
    const signals: (AbortSignal | null | undefined)[] = [];
    const eye = start({
      interval: 60_000,
      fetch: (_, init) => {
        signals.push(init?.signal);
        return new Promise((_, reject) => init?.signal?.addEventListener('abort', reject));
      },
    });
    await eye.track('signup');
    expect(await eye.close(50)).toBe(false);
    expect(signals.map((signal) => signal?.aborted)).toEqual([true]);
    expect(problems).toEqual([]);
  });

  it('closes an empty queue at once, without a request', async () => {
    expect(await start().close(0)).toBe(true);
    expect(server.requests).toEqual([]);
  });

  it('starts a session after the time-out', async () => {
    const eye = start({ sessionTimeout: 50 });
    await eye.track('first');
    await eye.track('second');
    const now = jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 60_000);
    await eye.track('third');
    now.mockRestore();
    await drained(eye);
    const [first, second, third] = server.accepted.map(({ session_id }) => session_id);
    expect(second).toBe(first);
    expect(third).not.toBe(first);
  });

  describe('with a folder', () => {
    let folder: string;

    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'eye-client-'));
    });
    afterEach(() => rm(folder, { recursive: true, force: true }));

    it('leaves what it could not send to the next client, and no file once all is sent', async () => {
      server.script.push(...ALWAYS_LOST);
      const first = start({ folder, interval: 60_000 });
      await trackMany(first, 20);
      expect(await first.flush()).toBe(false);
      expect(await first.close(0)).toBe(false);
      server.script.length = 0;
      expect(await readdir(folder)).toHaveLength(1);
      const second = start({ folder, interval: 60_000 });
      await second.track('counted', { n: 20 });
      await drained(second);
      expect(numbers()).toEqual(upTo(21));
      await second.close();
      expect(await readdir(folder)).toEqual([]);
    });

    it('leaves the files of clients that still work, and those for another key', async () => {
      server.script.push({ status: 503 });
      const busy = start({ folder, interval: 60_000 });
      await busy.track('counted', { n: 0 });
      const other = start({ folder, key: 'eye_ingest_other', interval: 60_000 });
      expect(await other.flush()).toBe(true);
      const same = start({ folder, interval: 60_000 });
      expect(await same.flush()).toBe(true);
      expect(await readdir(folder)).toHaveLength(1);
      await drained(busy);
      expect(numbers()).toEqual([0]);
    });

    it('skips the end of a line that a crash has cut off', async () => {
      server.script.push(...ALWAYS_LOST);
      const before = start({ folder, interval: 60_000 });
      await trackMany(before, 2);
      expect(await before.flush()).toBe(false);
      await before.close(0);
      server.script.length = 0;
      const [file = ''] = await readdir(folder);
      await writeFile(join(folder, file), '{"session_id":"half', { flag: 'a' });
      const after = start({ folder, interval: 60_000 });
      await drained(after);
      expect(numbers()).toEqual([0, 1]);
    });

    it('does not accept an event that it cannot write', async () => {
      await writeFile(join(folder, 'a-file'), '');
      const eye = start({ folder: join(folder, 'a-file') });
      expect(await eye.track('signup')).toBe(false);
      expect(problems.map(({ code }) => code)).toContain('failed');
    });

    it('throws nothing from flush() and close() when the folder cannot be used', async () => {
      await writeFile(join(folder, 'a-file'), '');
      const eye = start({ folder: join(folder, 'a-file') });
      expect(await eye.flush()).toBe(true);
      expect(await eye.close()).toBe(true);
      expect(problems.map(({ code }) => code)).toContain('failed');
    });
  });
});
