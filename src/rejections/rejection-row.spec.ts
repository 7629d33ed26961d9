import fc from 'fast-check';
import type { NewRejection } from '../platform/model/rejection.js';
import { eventOf, head, textOf, toRow } from './rejection-row.js';

const refused = (fields: Partial<NewRejection>): NewRejection => ({
  application: 'shop',
  code: 'wrong_type',
  errors: { event: ['Must be a JSON object.'] },
  event: {},
  observed: false,
  ...fields,
});

const anyText = fc.string({ unit: 'binary' });
/** What a row of texts may hold: PostgreSQL takes neither U+0000 nor half a surrogate pair. */
const isStorable = (text: string | null): boolean =>
  text === null || (!text.includes('\0') && text.isWellFormed());

describe('the row of a rejection', () => {
  it('holds any event exactly, in text that PostgreSQL can keep', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), (event) => {
        const row = toRow(refused({ event }), 'refused');
        expect(isStorable(row.event)).toBe(true);
        expect(row.whole).toBe(true);
        expect(eventOf(row)).toEqual(JSON.parse(JSON.stringify(event)));
        expect(JSON.parse(textOf(row))).toEqual(JSON.parse(JSON.stringify(event)));
      }),
    );
  });

  it('holds text that is no JSON, which may be anything in UTF-8', () => {
    fc.assert(
      fc.property(anyText, (binary) => {
        const event = binary.toWellFormed();
        const row = toRow(refused({ code: 'malformed_json', event }), 'refused');
        expect(isStorable(row.event)).toBe(true);
        expect([eventOf(row), textOf(row)]).toEqual([event, event]);
      }),
    );
  });

  it('holds what reading would change as it was written', () => {
    const json = '{"x": 12345678901234567890}';
    const row = toRow(refused({ code: 'not_exact', event: JSON.parse(json), json }), 'refused');
    expect([eventOf(row), textOf(row)]).toEqual([json, json]);
  });

  it('holds texts and messages that PostgreSQL can keep, no longer than an index may be', () => {
    const value = fc.oneof(
      anyText,
      anyText.map((text) => text.padEnd(300, '𝄞')),
      fc.integer(),
      fc.constant(null),
    );
    const event = fc.record({ session_id: value, category: value, name: value });
    fc.assert(
      fc.property(event, fc.dictionary(anyText, fc.array(anyText)), (sent, errors) => {
        const row = toRow(refused({ event: sent, errors }), 'refused');
        for (const field of ['session_id', 'category', 'name'] as const) {
          expect(row[field] === null).toBe(typeof sent[field] !== 'string');
          expect(isStorable(row[field])).toBe(true);
          expect(Array.from(row[field] ?? '').length).toBeLessThanOrEqual(255);
        }
        expect(Object.entries(row.errors).flat(2).every(isStorable)).toBe(true);
      }),
    );
  });

  it('does not grow with the errors of an event', () => {
    const errors = Object.fromEntries(
      Array.from({ length: 1000 }, (_, index) => [`${index}`.repeat(1000), ['m'.repeat(10_000)]]),
    );
    expect(JSON.stringify(toRow(refused({ errors }), 'refused')).length).toBeLessThan(100_000);
  });

  it('says where an event was cut or not read', () => {
    const long = toRow(refused({ event: { text: 'ü'.repeat(20_000) } }), 'refused');
    expect(long.whole).toBe(false);
    expect(Buffer.byteLength(long.event ?? '')).toBe(16_383);
    expect(eventOf(long)).toBe(long.event);
    const unread = toRow(refused({ event: undefined }), 'refused');
    expect([unread.event, unread.whole, eventOf(unread)]).toEqual([null, false, null]);
  });
});

describe('the head of a text', () => {
  it('is as many of its characters as fit into so many bytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.nat({ max: 40 }), (text, bytes) => {
        let expected = '';
        for (const character of text) {
          if (Buffer.byteLength(expected + character) > bytes) break;
          expected += character;
        }
        expect(head(text, bytes)).toBe(expected);
      }),
    );
  });
});
