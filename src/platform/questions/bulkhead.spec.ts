import { Bulkhead, type BulkheadOptions, type Release } from './bulkhead.js';

const bulkhead = (options: Partial<BulkheadOptions> = {}): Bulkhead =>
  new Bulkhead({
    slots: 4,
    slotsPerKey: 2,
    maxWaiting: 4,
    maxWaitingPerKey: 2,
    timeoutMs: 60_000,
    ...options,
  });

/** Enters, and notes who got a slot. */
const enterAs = (
  to: Bulkhead,
  name: string,
  key: string | undefined,
  admitted: string[],
  isHeavy = false,
) => {
  const entered = to.enter({ key, isHeavy }).then((release): Release => {
    admitted.push(name);
    return release;
  });
  entered.catch(() => undefined);
  return entered;
};

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('Bulkhead', () => {
  it('gives a key at most its share, and the rest to others', async () => {
    const admitted: string[] = [];
    const slots = bulkhead();
    for (const name of ['a1', 'a2', 'a3']) void enterAs(slots, name, 'a', admitted);
    void enterAs(slots, 'b1', 'b', admitted);
    await settled();
    expect(admitted).toEqual(['a1', 'a2', 'b1']);
  });

  it('gives freed slots to the keys in turn, however many callers of one key wait', async () => {
    const admitted: string[] = [];
    const slots = bulkhead({ slots: 1, slotsPerKey: 1 });
    const first = await slots.enter({ key: 'c' });
    const waiting = [
      enterAs(slots, 'a1', 'a', admitted),
      enterAs(slots, 'a2', 'a', admitted),
      enterAs(slots, 'b1', 'b', admitted),
    ];
    first();
    for (const entered of [waiting[0], waiting[2], waiting[1]]) (await entered)?.();
    expect(admitted).toEqual(['a1', 'b1', 'a2']);
    expect(slots.waiting).toBe(0);
  });

  it('refuses a caller whose key fills its share of the queue, and any caller of a full queue', async () => {
    const slots = bulkhead();
    for (let index = 0; index < 4; index++) slots.enter({ key: 'a' }).catch(() => undefined);
    await expect(slots.enter({ key: 'a' })).rejects.toMatchObject({ reason: 'share' });
    for (let index = 0; index < 4; index++) slots.enter({ key: undefined }).catch(() => undefined);
    await expect(slots.enter({ key: 'b' })).rejects.toMatchObject({ reason: 'queue' });
  });

  it('refuses a caller that has waited too long', async () => {
    const slots = bulkhead({ slots: 1, slotsPerKey: 1, timeoutMs: 1 });
    const release = await slots.enter({ key: 'a' });
    await expect(slots.enter({ key: 'b' })).rejects.toMatchObject({ reason: 'queue' });
    await expect(slots.enter({ key: 'a' })).rejects.toMatchObject({ reason: 'share' });
    release();
    await slots.enter({ key: 'b' });
  });

  it('lets light work pass heavy work that waits', async () => {
    const admitted: string[] = [];
    const slots = bulkhead({ heavySlots: 3 });
    for (const name of ['h1', 'h2', 'h3', 'h4']) void enterAs(slots, name, undefined, admitted, true);
    void enterAs(slots, 'light', undefined, admitted);
    await settled();
    expect(admitted).toEqual(['h1', 'h2', 'h3', 'light']);
  });

  it('ignores a slot that is released twice', async () => {
    const slots = bulkhead({ slots: 1, slotsPerKey: 1 });
    const release = await slots.enter({ key: 'a' });
    release();
    release();
    await slots.enter({ key: 'a' });
    expect(slots.tryEnter({ key: 'b' })).toBeUndefined();
  });
});
