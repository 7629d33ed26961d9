import { setTimeout as sleep } from 'node:timers/promises';
import { yieldToEventLoop } from '../platform/async/yield-to-event-loop.js';
import { Batcher, type BatcherOptions } from './batcher.js';

/** A batch that is in flight until the test finishes it. */
interface Batch {
  readonly items: number[];
  readonly finish: () => void;
  readonly fail: (error: Error) => void;
}

const all: Batch[] = [];

/** The timer of a batch that never finishes would keep running. */
afterEach(() => {
  for (const { finish } of all.splice(0)) finish();
});

/** Each number costs its own value; a batch is full at 10. */
function start(options: Partial<BatcherOptions<number>> = {}) {
  const batches: Batch[] = [];
  const batcher = new Batcher<number>({
    commit: (items) =>
      new Promise((finish, fail) => {
        const batch = { items, finish, fail };
        batches.push(batch);
        all.push(batch);
      }),
    cost: (item) => item,
    maxCost: 10,
    maxConcurrent: 1,
    ...options,
  });
  return { batcher, batches, items: () => batches.map((batch) => batch.items) };
}

/** Lets promises settle and callbacks of setImmediate run. */
async function settle(): Promise<void> {
  for (let round = 0; round < 3; round++) await yieldToEventLoop();
}

describe('Batcher', () => {
  it('puts items that arrive in one turn of the event loop into one batch, in their order', async () => {
    const { batcher, items } = start();
    for (const item of [3, 1, 2]) void batcher.add(item);
    await settle();
    expect(items()).toEqual([[3, 1, 2]]);
  });

  it('puts items that arrive while a batch is in flight into the next batch', async () => {
    const { batcher, batches, items } = start();
    void batcher.add(1);
    await settle();
    void batcher.add(2);
    await settle();
    void batcher.add(3);
    await settle();
    expect(items()).toEqual([[1]]);
    batches[0]?.finish();
    await settle();
    expect(items()).toEqual([[1], [2, 3]]);
  });

  it('resolves `add` when the batch is committed, not before', async () => {
    const { batcher, batches } = start();
    let resolved = false;
    const added = batcher.add(1).then(() => (resolved = true));
    await settle();
    expect(resolved).toBe(false);
    batches[0]?.finish();
    await added;
  });

  it('keeps the order of items across batches', async () => {
    const committed: number[] = [];
    const { batcher } = start({
      commit: async (items) => {
        await sleep(1);
        committed.push(...items);
      },
      cost: () => 3,
    });
    const sent = Array.from({ length: 30 }, (_, item) => item);
    await Promise.all(sent.map((item) => batcher.add(item)));
    expect(committed).toEqual(sent);
  });
});

describe('Batcher with `maxCost`', () => {
  it('fills a batch up to the cost, which its last item may exceed', async () => {
    const { batcher, batches, items } = start();
    for (const item of [4, 5, 6, 10, 1, 50]) void batcher.add(item);
    for (let count = 0; count < 4; count++) {
      await settle();
      batches[count]?.finish();
    }
    expect(items()).toEqual([[4, 5, 6], [10], [1, 50]]);
  });

  it('fails only the items of a batch that fails', async () => {
    const { batcher, batches } = start();
    const outcomes = Promise.allSettled([10, 4, 6, 10].map((item) => batcher.add(item)));
    await settle();
    batches[0]?.finish();
    await settle();
    batches[1]?.fail(new Error('Redis is unavailable'));
    await settle();
    batches[2]?.finish();
    expect((await outcomes).map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'rejected',
      'fulfilled',
    ]);
  });

  it('fails the items when `commit` throws before it returns a promise', async () => {
    const { batcher } = start({
      commit: () => {
        throw new Error('at once');
      },
    });
    await expect(batcher.add(1)).rejects.toThrow('at once');
  });

  it('commits full batches side by side, up to `maxConcurrent`', async () => {
    const { batcher, batches, items } = start({ maxConcurrent: 2 });
    for (const item of [10, 11, 12]) void batcher.add(item);
    await settle();
    expect(items()).toEqual([[10], [11]]);
    batches[1]?.finish();
    await settle();
    expect(items()).toEqual([[10], [11], [12]]);
  });
});

describe('Batcher with a batch that is not full', () => {
  it('starts it at once when none is in flight', async () => {
    const { batcher, items } = start({ maxConcurrent: 2 });
    void batcher.add(9);
    await settle();
    expect(items()).toEqual([[9]]);
  });

  it('starts it beside another only once it is full', async () => {
    const { batcher, items } = start({ maxConcurrent: 2 });
    void batcher.add(1);
    await settle();
    void batcher.add(9);
    await settle();
    expect(items()).toEqual([[1]]);
    void batcher.add(1);
    await settle();
    expect(items()).toEqual([[1], [9, 1]]);
  });

  it('leaves expired items out of its cost', async () => {
    const timeout = { afterMs: 100, error: () => new Error('too late') };
    const { batcher, items } = start({ maxConcurrent: 2, timeout });
    const late = [batcher.add(1)];
    await settle();
    late.push(batcher.add(9));
    await Promise.allSettled(late);
    void batcher.add(1).catch(() => undefined);
    await settle();
    expect(items()).toEqual([[1]]);
  });
});

describe('Batcher with `timeout`', () => {
  const timeout = { afterMs: 150, error: () => new Error('too late') };
  const past = () => sleep(150 + 2 * 50);

  it('rejects an item whose batch takes too long', async () => {
    const { batcher, items } = start({ timeout });
    await expect(batcher.add(1)).rejects.toThrow('too late');
    expect(items()).toEqual([[1]]);
  });

  it('never commits an item that expired in the queue, and passes `inFlight` to `error`', async () => {
    const error = (inFlight: boolean): Error => new Error(inFlight ? 'unknown outcome' : 'too late');
    const { batcher, batches, items } = start({ timeout: { ...timeout, error } });
    const first = batcher.add(1);
    await settle();
    const waiting = batcher.add(2);
    await Promise.all([
      expect(first).rejects.toThrow('unknown outcome'),
      expect(waiting).rejects.toThrow('too late'),
    ]);
    batches[0]?.finish();
    await settle();
    expect(items()).toEqual([[1]]);
  });

  it('gives each item its own deadline, so that a later item is still committed', async () => {
    const { batcher, batches, items } = start({ timeout: { ...timeout, afterMs: 400 } });
    const late = expect(batcher.add(1)).rejects.toThrow('too late');
    await sleep(300);
    const young = batcher.add(2);
    await late;
    batches[0]?.finish();
    await settle();
    batches[1]?.finish();
    await young;
    expect(items()).toEqual([[1], [2]]);
  });

  it('resolves items that are committed in time', async () => {
    const { batcher } = start({ timeout: { ...timeout, afterMs: 1000 }, commit: () => sleep(120) });
    await batcher.add(1);
    await batcher.add(2);
  });

  it('accepts items again after all have expired', async () => {
    const { batcher, batches } = start({ timeout });
    await expect(batcher.add(1)).rejects.toThrow('too late');
    batches[0]?.finish();
    await past();
    await expect(batcher.add(2)).rejects.toThrow('too late');
  });
});

describe('Batcher without `timeout`', () => {
  it('lets items wait for as long as the commit takes', async () => {
    const { batcher, batches } = start();
    const added = batcher.add(1);
    await sleep(120);
    batches[0]?.finish();
    await added;
  });
});
