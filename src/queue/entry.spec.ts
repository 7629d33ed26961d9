import fc from 'fast-check';
import { arrayOf, type Entry, formatEntry, parseEntry } from './entry.js';

const entry = fc
  .record({
    values: fc.array(fc.json(), { minLength: 1, maxLength: 5 }),
    acceptedAt: fc.nat(),
    isAwaited: fc.boolean(),
    traces: fc.array(fc.stringMatching(/^[\da-f-]{1,55}$/), { maxLength: 3 }),
  })
  .map(({ values, ...header }): Entry => ({ ...header, items: values.length, text: values.join(',') }));

describe('parseEntry()', () => {
  it('returns what formatEntry() was given', () => {
    fc.assert(fc.property(entry, (original) => expect(parseEntry(formatEntry(original))).toEqual(original)));
  });
});

describe('arrayOf()', () => {
  it('returns the array of the items of all entries, in their order', () => {
    fc.assert(
      fc.property(fc.array(entry), (entries) => {
        const items = entries.flatMap(({ text }) => JSON.parse(`[${text}]`) as unknown[]);
        expect(JSON.parse(arrayOf(entries))).toEqual(items);
      }),
    );
  });
});
