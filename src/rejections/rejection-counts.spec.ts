import fc from 'fast-check';
import { RejectionCounts, MAX_TYPES } from './rejection-counts.js';

const NOON = Date.parse('2026-01-01T12:00:00Z');
const refused = { application: 'shop', code: 'empty', category: 'click', name: 'cta' } as const;

describe('RejectionCounts', () => {
  it('counts by minute, application, code and type', () => {
    const counts = new RejectionCounts();
    counts.add(refused, NOON);
    counts.add(refused, NOON + 59_999);
    counts.add(refused, NOON + 60_000);
    for (const other of [
      { application: 'site' },
      { code: 'too_long' as const },
      { category: '' },
      { name: 'x' },
    ])
      counts.add({ ...refused, ...other }, NOON + 60_000);
    const later = { ...refused, minute: '2026-01-01T12:01:00.000Z', count: 1 };
    expect(counts.take()).toEqual([
      { ...refused, minute: '2026-01-01T12:00:00.000Z', count: 2 },
      later,
      { ...later, application: 'site' },
      { ...later, code: 'too_long' },
      { ...later, category: '' },
      { ...later, name: 'x' },
    ]);
  });

  it('starts at zero after the counts were taken', () => {
    const counts = new RejectionCounts();
    counts.add(refused, NOON);
    counts.take();
    expect(counts.take()).toEqual([]);
    counts.add(refused, NOON);
    expect(counts.take()).toEqual([expect.objectContaining({ count: 1 })]);
  });

  it('counts at most MAX_TYPES types separately in a minute, and the others together', () => {
    const counts = new RejectionCounts();
    for (let type = 0; type < 3 * MAX_TYPES; type++)
      counts.add({ ...refused, name: `invented ${type}` }, NOON);
    const taken = counts.take();
    expect(taken).toHaveLength(MAX_TYPES + 1);
    expect(taken.at(-1)).toMatchObject({ category: '', name: '', count: 2 * MAX_TYPES });
    counts.add({ ...refused, name: 'another' }, NOON + 1);
    expect(counts.take()).toEqual([expect.objectContaining({ category: '', name: '' })]);
    counts.add({ ...refused, name: 'another' }, NOON + 60_000);
    expect(counts.take()).toEqual([expect.objectContaining({ name: 'another' })]);
  });

  it('has a bounded number of exact counts when nothing takes them for two days', () => {
    const counts = new RejectionCounts();
    const minutes = 2 * 24 * 60;
    for (let minute = 0; minute < minutes; minute++)
      for (let type = 0; type < 20; type++)
        counts.add({ ...refused, name: `${type}` }, NOON + minute * 60_000);
    const taken = counts.take();
    expect(taken.length).toBeLessThan(10_000 + minutes);
    expect(taken.reduce((sum, { count }) => sum + count, 0)).toBe(minutes * 20);
  });

  it('never counts two types together, whatever characters their names contain', () => {
    const text = fc.constantFrom('', 'a', 'b', 'a b', '\n', '"', '1', 'ab');
    fc.assert(
      fc.property(fc.array(fc.tuple(text, text), { maxLength: 40 }), (types) => {
        const counts = new RejectionCounts();
        for (const [category, name] of types) counts.add({ ...refused, category, name }, NOON);
        for (const { category, name, count } of counts.take())
          expect(types.filter(([first, second]) => first === category && second === name)).toHaveLength(
            count,
          );
      }),
    );
  });
});
