import Queue from 'bull';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Entry } from '../../src/queue/entry.js';
import { IngestionBuffer } from '../../src/queue/ingestion-buffer.js';
import { LEASE_MS, ORDER_JOB } from '../../src/queue/queue.constants.js';
import type { Claim, WorkOrder } from '../../src/queue/work-order.js';
import { eventually } from '../../testing/the-eye.js';
import { OwnRedis } from '../support/servers.js';

const key = (name: string): string => `the-eye:ingestion:${name}`;

/** An entry of so many items, which are all the same number. */
const anEntry = (value: number, items = 1): Entry => ({
  items,
  acceptedAt: 1000 + value,
  isAwaited: false,
  traces: [],
  text: Array<number>(items).fill(value).join(','),
});
const textsOf = (claim: Claim | undefined): string[] | undefined => claim?.entries.map(({ text }) => text);

describe('The buffer of accepted events', () => {
  let server: OwnRedis;
  let redis: Redis;
  let queue: Queue.Queue;
  const clients: Redis[] = [];
  let buffer: IngestionBuffer;
  beforeAll(async () => {
    server = await OwnRedis.start();
    redis = new Redis(server.socket);
  });
  beforeEach(async () => {
    await redis.flushall();
    queue = new Queue('ingestion', {
      prefix: 'the-eye',
      createClient: () => {
        const client = new Redis(server.socket, { maxRetriesPerRequest: null, enableReadyCheck: false });
        clients.push(client);
        return client;
      },
    });
    buffer = new IngestionBuffer(queue, { bulk: redis });
  });
  afterEach(async () => {
    await queue.close();
    for (const client of clients.splice(0)) client.disconnect();
  });
  afterAll(async () => {
    redis.disconnect();
    await server.close();
  });

  const orders = async (): Promise<number> => (await queue.getJobCounts()).waiting;
  /** An order that Bull knows, so that it is not taken for one whose job is gone. */
  const givenOrder = async (id: string): Promise<WorkOrder> => {
    await redis.hset(key(id), 'name', ORDER_JOB);
    return buffer.order(id);
  };

  it('gives an order for the first entry, and no other while one waits', async () => {
    expect(await buffer.append([anEntry(1, 3)], 3)).toBe(3);
    expect(await buffer.append([anEntry(2), anEntry(3)], 2)).toBe(5);
    await eventually(async () => expect(await orders()).toBe(1));
    await redis.del(key('lease'));
    await buffer.append([anEntry(4)], 1);
    await sleep(50);
    expect(await orders()).toBe(1);
  });

  it('returns entries in their order, up to a cost by number and by size, and asks for help only while more waits', async () => {
    const large = { ...anEntry(0), text: `"${'x'.repeat(3 * 4096)}"` };
    await buffer.append([anEntry(1, 3), anEntry(2, 4), anEntry(3, 4), large, anEntry(5)], 13);
    await eventually(async () => expect(await orders()).toBe(1));
    await queue.empty();
    const order = await givenOrder('1');
    const first = await order.claim(10);
    expect(textsOf(first)).toEqual(['1,1,1', '2,2,2,2', '3,3,3,3']);
    expect(first).toMatchObject({ isFull: true, isFurtherOrderDue: true, isLeader: true });
    expect(await order.acknowledge(11, false)).toBe(2);
    const second = await order.claim(4);
    expect(textsOf(second)).toEqual([large.text]);
    expect(await order.acknowledge(1, false)).toBe(1);
    const third = await order.claim(10);
    expect(third).toMatchObject({ isFull: false, isFurtherOrderDue: false });
    expect(await order.acknowledge(1, false)).toBe(0);
    expect(await order.claim(10)).toBeUndefined();
    expect(await redis.keys(key('*'))).not.toContain(key('lease'));
  });

  it('takes entries and removes them at the memory limit, where it refuses to add any and changes nothing', async () => {
    await buffer.append([anEntry(1), anEntry(2)], 2);
    await eventually(async () => expect(await orders()).toBe(1));
    const order = await givenOrder('1');
    await server.set({ maxmemory: '1' });
    await expect(buffer.append([anEntry(3)], 1)).rejects.toThrow('OOM');
    expect(textsOf(await order.claim(1))).toEqual(['1']);
    expect(await order.acknowledge(1, false)).toBe(1);
    await redis.del(key('1'));
    expect(await order.claim(1)).toBeDefined();
    await buffer.sweep();
    await server.set({ maxmemory: '0' });
    expect(await redis.llen(key('buffer'))).toBe(1);
    expect(await buffer.count()).toBe(1);
  });

  it('takes large entries, and gives entries to a worker, while the connection of the small ones is busy', async () => {
    const busy = queue.client.blpop('nothing', 0);
    expect(await buffer.append([anEntry(1)], 1, true)).toBe(1);
    const order = await givenOrder('1');
    expect(textsOf(await order.claim(1))).toEqual(['1']);
    expect(await order.acknowledge(1, false)).toBe(0);
    await redis.lpush('nothing', 'x');
    await busy;
  });

  it('works after Redis has forgotten its scripts', async () => {
    await buffer.append([anEntry(1)], 1);
    await server.command('SCRIPT', 'FLUSH');
    expect(await buffer.append([anEntry(2)], 1)).toBe(2);
  });

  it('gives the entries of a run that seemed dead to the next one, and lets the first remove nothing more', async () => {
    await buffer.append([anEntry(1), anEntry(2)], 2);
    const dead = await givenOrder('1');
    expect(textsOf(await dead.claim(1))).toEqual(['1']);
    const next = buffer.order('1');
    expect(textsOf(await next.claim(1))).toEqual(['1']);
    expect(await dead.acknowledge(1, false)).toBeUndefined();
    expect(await dead.claim(1)).toBeUndefined();
    expect(await next.acknowledge(1, false)).toBe(1);
    expect(textsOf(await next.claim(1))).toEqual(['2']);
    expect(await dead.acknowledge(1, false)).toBeUndefined();
    expect(await next.acknowledge(1, false)).toBe(0);
  });

  it('returns the same entries to a run that did not receive them', async () => {
    await buffer.append([anEntry(1), anEntry(2)], 2);
    const order = await givenOrder('1');
    await order.claim(1);
    expect(textsOf(await order.claim(1))).toEqual(['1']);
    expect(await order.acknowledge(1, false)).toBe(1);
    expect(await order.acknowledge(1, false)).toBe(0);
    expect(await redis.llen(key('buffer'))).toBe(1);
  });

  it('makes the leader out of the order that looks first, and another once its lease has expired', async () => {
    await buffer.append([anEntry(1), anEntry(2), anEntry(3)], 3);
    const [leader, helper] = [await givenOrder('1'), await givenOrder('2')];
    expect(await leader.claim(1)).toMatchObject({ isLeader: true });
    expect(await helper.claim(1)).toMatchObject({ isLeader: false });
    await helper.acknowledge(1, false);
    await redis.pexpire(key('lease'), 1);
    await sleep(5);
    expect(await helper.claim(1)).toMatchObject({ isLeader: true });
    await leader.acknowledge(1, false);
    expect(await leader.claim(1)).toBeUndefined();
    expect(await redis.get(key('lease'))).toBe('2');
  });

  it('hands back the entries of an order whose job is gone, in their order, and gives an order', async () => {
    await buffer.append([anEntry(1), anEntry(2), anEntry(3)], 3);
    await eventually(async () => expect(await orders()).toBe(1));
    await queue.empty();
    await buffer.order('1').claim(2);
    const alive = await givenOrder('2');
    await buffer.sweep();
    expect(await orders()).toBe(0);
    await redis.del(key('lease'));
    await buffer.sweep();
    expect(await orders()).toBe(1);
    expect(textsOf(await alive.claim(10))).toEqual(['1', '2', '3']);
    await buffer.sweep();
    expect(await redis.llen(key('taken:2'))).toBe(3);
  });

  it('gives another order when that of a producer that died is missing', async () => {
    await buffer.append([anEntry(1)], 1);
    await eventually(async () => expect(await orders()).toBe(1));
    await queue.empty();
    await sleep(LEASE_MS + 50);
    await buffer.append([anEntry(2)], 1);
    await eventually(async () => expect(await orders()).toBe(1));
  });

  it('reports the number of entries and the age of the oldest, in the buffer and with orders', async () => {
    expect(await buffer.report()).toEqual({ jobs: 0, delayed: 0, oldest: undefined });
    await buffer.append([anEntry(1), anEntry(2), anEntry(3)], 3);
    await (await givenOrder('1')).claim(1);
    expect(await buffer.report()).toEqual({ jobs: 3, delayed: 0, oldest: 1001 });
  });

  it('loses no entry and counts each item once, whatever runs overlap and die', async () => {
    const action = fc.oneof(
      {
        weight: 3,
        arbitrary: fc.record({ kind: fc.constant('append' as const), items: fc.integer({ min: 1, max: 4 }) }),
      },
      fc.record({ kind: fc.constant('run' as const), order: fc.nat(1) }),
      { weight: 4, arbitrary: fc.record({ kind: fc.constant('claim' as const), run: fc.nat(5) }) },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('acknowledge' as const), run: fc.nat(5) }) },
      fc.record({ kind: fc.constant('vanish' as const), order: fc.nat(1) }),
      fc.record({ kind: fc.constant('sweep' as const) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 60 }), async (actions) => {
        await redis.flushall();
        let value = 0;
        const unacknowledged = new Set<string>();
        const runs: { order: WorkOrder; holds: string[]; items: number }[] = [];
        for (const step of actions) {
          const run = 'run' in step ? runs[step.run % Math.max(runs.length, 1)] : undefined;
          if (step.kind === 'append') {
            const entry = anEntry(value++, step.items);
            await buffer.append([entry], step.items);
            unacknowledged.add(entry.text);
          } else if (step.kind === 'run') {
            runs.push({ order: await givenOrder(String(step.order)), holds: [], items: 0 });
          } else if (step.kind === 'vanish') {
            await redis.del(key(String(step.order)));
          } else if (step.kind === 'sweep') {
            await buffer.sweep();
          } else if (step.kind === 'claim' && run) {
            const claim = await run.order.claim(5);
            run.holds = textsOf(claim) ?? [];
            run.items = claim?.entries.reduce((sum, { items }) => sum + items, 0) ?? 0;
          } else if (step.kind === 'acknowledge' && run && run.holds.length > 0) {
            const left = await run.order.acknowledge(run.items, false);
            if (left !== undefined) for (const text of run.holds) unacknowledged.delete(text);
            run.holds = [];
          }
          const lists = await Promise.all(
            ['buffer', 'taken:0', 'taken:1'].map((list) => redis.lrange(key(list), 0, -1)),
          );
          const texts = lists.flat().map((entry) => entry.slice(entry.indexOf('\n') + 1));
          expect(texts.sort()).toEqual([...unacknowledged].sort());
          const items = texts.reduce((sum, text) => sum + text.split(',').length, 0);
          expect(await buffer.count()).toBe(items);
        }
      }),
      { numRuns: 150 },
    );
  });

  it('leaves nothing lying when entries come at the very moment at which an order ends', async () => {
    const stored = new Set<string>();
    void queue.process(ORDER_JOB, 2, async ({ id }) => {
      const order = buffer.order(String(id));
      for (;;) {
        const claim = await order.claim(10);
        if (!claim) return;
        const isLast = !claim.isLeader && !claim.isFull;
        await order.acknowledge(claim.entries.length, isLast);
        for (const { text } of claim.entries) stored.add(text);
        if (isLast) return;
      }
    });
    // Nobody sweeps, so an entry that no order sees would lie until the next one.
    const ends = 500;
    for (let value = 0; value < ends; value++) {
      await buffer.append([anEntry(value)], 1);
      const late = performance.now() + 1000;
      for (; !stored.has(String(value)); await sleep(0)) expect(performance.now()).toBeLessThan(late);
      // The end of an order takes about a millisecond.
      for (const end = performance.now() + Math.random() * 2; performance.now() < end;) await sleep(0);
    }
    expect(stored.size).toBe(ends);
    await eventually(async () => expect(await queue.getActiveCount()).toBe(0));
    const left = (await redis.keys(key('*'))).filter((name) => name !== key('stalled-check'));
    expect(left).toEqual([key('id')]);
  });
});
