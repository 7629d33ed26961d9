import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { Batcher, type BatcherOptions } from './batcher.js';

/** A group that was handed over, to be finished by the test. */
interface Handed {
  readonly items: number[];
  readonly finish: () => void;
  readonly fail: (error: Error) => void;
}

const all: Handed[] = [];

/** A group that is never finished would keep its timer. */
afterEach(() => {
  for (const { finish } of all.splice(0)) finish();
});

/** Numbers weigh what they are; a group is full at 10. */
function start(options: Partial<BatcherOptions<number>> = {}) {
  const handed: Handed[] = [];
  const groups = new Batcher<number>({
    commit: (items) =>
      new Promise((finish, fail) => {
        const group = { items, finish, fail };
        handed.push(group);
        all.push(group);
      }),
    cost: (item) => item,
    maxCost: 10,
    maxConcurrent: 1,
    ...options,
  });
  return { groups, handed, items: () => handed.map((group) => group.items) };
}

/** Lets promises settle and immediates run. */
async function settle(): Promise<void> {
  for (let round = 0; round < 3; round++) await turn();
}

describe('items', () => {
  it('that arrive in one turn go in one group, in their order', async () => {
    const { groups, items } = start();
    for (const item of [3, 1, 2]) void groups.add(item);
    await settle();
    expect(items()).toEqual([[3, 1, 2]]);
  });

  it('that arrive while a group is under way wait together for the next one', async () => {
    const { groups, handed, items } = start();
    void groups.add(1);
    await settle();
    void groups.add(2);
    await settle();
    void groups.add(3);
    await settle();
    expect(items()).toEqual([[1]]);
    handed[0]?.finish();
    await settle();
    expect(items()).toEqual([[1], [2, 3]]);
  });

  it('are answered when their group is committed, not before', async () => {
    const { groups, handed } = start();
    let answered = false;
    const added = groups.add(1).then(() => (answered = true));
    await settle();
    expect(answered).toBe(false);
    handed[0]?.finish();
    await added;
  });

  it('keep their order over groups', async () => {
    const committed: number[] = [];
    const { groups } = start({
      commit: async (items) => {
        await sleep(1);
        committed.push(...items);
      },
      cost: () => 3,
    });
    const sent = Array.from({ length: 30 }, (_, item) => item);
    await Promise.all(sent.map((item) => groups.add(item)));
    expect(committed).toEqual(sent);
  });
});

describe('a group', () => {
  it('is full at its weight, which its last item may exceed', async () => {
    const { groups, handed, items } = start();
    for (const item of [4, 5, 6, 10, 1, 50]) void groups.add(item);
    for (let count = 0; count < 4; count++) {
      await settle();
      handed[count]?.finish();
    }
    expect(items()).toEqual([[4, 5, 6], [10], [1, 50]]);
  });

  it('that fails takes only its own items with it', async () => {
    const { groups, handed } = start();
    const outcomes = Promise.allSettled([10, 4, 6, 10].map((item) => groups.add(item)));
    await settle();
    handed[0]?.finish();
    await settle();
    handed[1]?.fail(new Error('Redis is away'));
    await settle();
    handed[2]?.finish();
    expect((await outcomes).map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'rejected',
      'fulfilled',
    ]);
  });

  it('that fails at once, without a promise, is a failure like another', async () => {
    const { groups } = start({
      commit: () => {
        throw new Error('at once');
      },
    });
    await expect(groups.add(1)).rejects.toThrow('at once');
  });

  it('goes beside others up to the number that may be under way', async () => {
    const { groups, handed, items } = start({ maxConcurrent: 2 });
    for (const item of [10, 11, 12]) void groups.add(item);
    await settle();
    expect(items()).toEqual([[10], [11]]);
    handed[1]?.finish();
    await settle();
    expect(items()).toEqual([[10], [11], [12]]);
  });
});

describe('a group that is not full', () => {
  it('starts at once where none is under way', async () => {
    const { groups, items } = start({ maxConcurrent: 2 });
    void groups.add(9);
    await settle();
    expect(items()).toEqual([[9]]);
  });

  it('waits for more items while another is under way, until it is full', async () => {
    const { groups, items } = start({ maxConcurrent: 2 });
    void groups.add(1);
    await settle();
    void groups.add(9);
    await settle();
    expect(items()).toEqual([[1]]);
    void groups.add(1);
    await settle();
    expect(items()).toEqual([[1], [9, 1]]);
  });

  it('does not count the items that gave up', async () => {
    const deadline = { after: 100, error: () => new Error('too late') };
    const { groups, items } = start({ maxConcurrent: 2, deadline });
    const late = [groups.add(1)];
    await settle();
    late.push(groups.add(9));
    await Promise.allSettled(late);
    void groups.add(1).catch(() => undefined);
    await settle();
    expect(items()).toEqual([[1]]);
  });
});

describe('a deadline', () => {
  const deadline = { after: 150, error: () => new Error('too late') };
  const past = () => sleep(150 + 2 * 50);

  it('answers an item whose group takes too long', async () => {
    const { groups, items } = start({ deadline });
    await expect(groups.add(1)).rejects.toThrow('too late');
    expect(items()).toEqual([[1]]);
  });

  it('takes an item out that still waits: it is never committed, and says so', async () => {
    const error = (underWay: boolean): Error => new Error(underWay ? 'who knows' : 'too late');
    const { groups, handed, items } = start({ deadline: { ...deadline, error } });
    const first = groups.add(1);
    await settle();
    const waiting = groups.add(2);
    await Promise.all([
      expect(first).rejects.toThrow('who knows'),
      expect(waiting).rejects.toThrow('too late'),
    ]);
    handed[0]?.finish();
    await settle();
    expect(items()).toEqual([[1]]);
  });

  it('is each item’s own: a younger one still waits, and is committed', async () => {
    const { groups, handed, items } = start({ deadline: { ...deadline, after: 400 } });
    const started = performance.now();
    const late = expect(groups.add(1)).rejects.toThrow('too late');
    await sleep(300);
    const young = groups.add(2);
    await late;
    expect(performance.now() - started).toBeGreaterThanOrEqual(400);
    handed[0]?.finish();
    await settle();
    handed[1]?.finish();
    await young;
    expect(items()).toEqual([[1], [2]]);
  });

  it('does not touch what was in time', async () => {
    const { groups } = start({ deadline: { ...deadline, after: 1000 }, commit: () => sleep(120) });
    await groups.add(1);
    await groups.add(2);
  });

  it('works again after everything had given up', async () => {
    const { groups, handed } = start({ deadline });
    await expect(groups.add(1)).rejects.toThrow('too late');
    handed[0]?.finish();
    await past();
    await expect(groups.add(2)).rejects.toThrow('too late');
  });
});

describe('without a deadline', () => {
  it('items wait as long as it takes', async () => {
    const { groups, handed } = start();
    const added = groups.add(1);
    await sleep(120);
    handed[0]?.finish();
    await added;
  });
});

describe('a rest', () => {
  it('keeps the next group waiting, so that it grows', async () => {
    const { groups, handed, items } = start({ minIntervalMs: 40 });
    void groups.add(1);
    await settle();
    handed[0]?.finish();
    void groups.add(2);
    await settle();
    void groups.add(3);
    await settle();
    expect(items()).toEqual([[1]]);
    await sleep(60);
    await settle();
    expect(items()).toEqual([[1], [2, 3]]);
  });

  it('ends at once for a group that is full', async () => {
    const { groups, handed, items } = start({ minIntervalMs: 5000 });
    void groups.add(1);
    await settle();
    handed[0]?.finish();
    void groups.add(4);
    void groups.add(6);
    await settle();
    expect(items()).toEqual([[1], [4, 6]]);
  });

  it('is not taken where nothing came for as long', async () => {
    const { groups, handed, items } = start({ minIntervalMs: 20 });
    void groups.add(1);
    await settle();
    handed[0]?.finish();
    await sleep(40);
    void groups.add(2);
    await settle();
    expect(items()).toEqual([[1], [2]]);
  });
});
