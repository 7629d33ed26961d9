import { BodyBudget, type Reservation } from './body-budget.js';

describe('A BodyBudget', () => {
  let now = 0;
  let dropped: string[] = [];
  let budget: BodyBudget;
  beforeEach(() => {
    now = 0;
    dropped = [];
    budget = new BodyBudget({ total: 400, share: 100, strangers: 150, now: () => now });
  });

  const reserve = (caller: string, bytes: number, { received = 0, complete = false, isKnown = true } = {}) =>
    budget.reserve(
      caller,
      bytes,
      {
        isComplete: () => complete,
        received: () => received,
        drop: () => dropped.push(caller),
      },
      isKnown,
    );

  it('gives each caller a share, and all of them together the total', () => {
    for (const caller of ['a', 'b', 'c', 'd']) {
      expect(reserve(caller, 60)).toMatchObject({ bytes: 60 });
      expect(reserve(caller, 41)).toBe('share');
      expect(reserve(caller, 40)).toMatchObject({ bytes: 40 });
    }
    expect(reserve('e', 1)).toBe('total');
    expect(dropped).toEqual([]);
  });

  it('gives all who are not known a part of their own, so that they leave room for the others', () => {
    const stranger = { isKnown: false };
    const first = reserve('a', 100, stranger) as Reservation;
    expect(reserve('b', 51, stranger)).toBe('total');
    const second = reserve('b', 50, stranger) as Reservation;
    expect(budget.extend(second, 1)).toBe('total');
    for (const caller of ['c', 'd']) expect(reserve(caller, 100)).toMatchObject({ bytes: 100 });
    budget.release(first);
    expect(reserve('c', 1)).toBe('share');
    expect(reserve('e', 100, stranger)).toMatchObject({ bytes: 100 });
  });

  it('drops a stalled stranger for another, and nobody who is known', () => {
    reserve('a', 100);
    reserve('b', 100, { isKnown: false });
    now = 1101;
    expect(reserve('c', 100, { isKnown: false })).toMatchObject({ bytes: 100 });
    expect(dropped).toEqual(['b']);
  });

  it('has the bytes of a released body again, and only once', () => {
    const reservation = reserve('a', 100) as Reservation;
    budget.release(reservation);
    budget.release(reservation);
    expect(budget.bytes).toBe(0);
    expect(reserve('a', 100)).toMatchObject({ bytes: 100 });
  });

  it('counts a body without a known length as it arrives', () => {
    const reservation = reserve('a', 0) as Reservation;
    expect(budget.extend(reservation, 100)).toBeUndefined();
    expect(budget.extend(reservation, 1)).toBe('share');
    budget.release(reservation);
    expect(budget.bytes).toBe(0);
  });

  it('drops those that send nothing for more than a second when another needs their place, the longest first', () => {
    for (const caller of ['a', 'b', 'c', 'd']) {
      reserve(caller, 100);
      now += 100;
    }
    now = 1101;
    expect(reserve('e', 150)).toBe('share');
    expect(reserve('e', 100)).toMatchObject({ bytes: 100 });
    expect(dropped).toEqual(['a']);
    expect(budget.bytes).toBe(400);
  });

  it('drops a stalled body of the same caller before it refuses another', () => {
    reserve('a', 100);
    now = 1001;
    expect(reserve('a', 100)).toMatchObject({ bytes: 100 });
    expect(dropped).toEqual(['a']);
  });

  it('drops neither those that arrive fast enough nor those that have arrived', () => {
    reserve('a', 100, { received: 64_000 });
    reserve('b', 100, { complete: true });
    now = 1999;
    expect([reserve('a', 1), reserve('b', 1)]).toEqual(['share', 'share']);
    now = 2001;
    expect(reserve('a', 1)).toMatchObject({ bytes: 1 });
    expect(dropped).toEqual(['a']);
  });
});
