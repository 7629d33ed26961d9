import fc from 'fast-check';
import { environment } from '../platform/config/environment.js';
import { anyCharacter } from '../platform/json/any-character.spec-support.js';
import type { NewRejection } from '../platform/model/rejection.js';
import { eventJsonOf, eventTextOf, head, type RejectionRow, toRow } from './rejection-row.js';

const refused = (fields: Partial<NewRejection>): NewRejection => ({
  application: 'shop',
  code: 'wrong_type',
  errors: { event: ['Must be a JSON object.'] },
  event: {},
  observed: false,
  ...fields,
});

const eventOf = (row: RejectionRow): unknown => JSON.parse(eventJsonOf(row));

const anyText = fc.string({ unit: anyCharacter });
/** PostgreSQL stores neither U+0000 nor lone surrogates. */
const isStorable = (text: string | null): boolean =>
  text === null || (!text.includes('\0') && text.isWellFormed());

describe('The row of a rejection', () => {
  it('represents any event exactly, in text that PostgreSQL can store', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: anyCharacter }), (event) => {
        const row = toRow(refused({ event }), 'refused');
        expect(isStorable(row.event)).toBe(true);
        expect(row.whole).toBe(true);
        expect(eventOf(row)).toEqual(JSON.parse(JSON.stringify(event)));
        expect(JSON.parse(eventTextOf(row))).toEqual(JSON.parse(JSON.stringify(event)));
      }),
    );
  });

  it('represents any text in UTF-8 that is not JSON', () => {
    fc.assert(
      fc.property(anyText, (binary) => {
        const event = binary.toWellFormed();
        const row = toRow(refused({ code: 'malformed_json', event }), 'refused');
        expect(isStorable(row.event)).toBe(true);
        expect([eventOf(row), eventTextOf(row)]).toEqual([event, event]);
      }),
    );
  });

  it('contains the original text of an event that JSON.parse would change', () => {
    const json = '{"x": 12345678901234567890}';
    const row = toRow(refused({ code: 'not_exact', event: JSON.parse(json), json }), 'refused');
    expect([eventOf(row), eventTextOf(row)]).toEqual([json, json]);
  });

  it('contains the original text of an event that is nested too deep, whatever it was refused for', () => {
    const nested = (levels: number): string => `${'['.repeat(levels)}"]"${']'.repeat(levels)}`;
    const rowOf = (json: string): RejectionRow =>
      toRow(refused({ event: JSON.parse(json), json }), 'refused');
    const deepest = environment.DEPTH_LIMIT + 1;
    expect(eventJsonOf(rowOf(nested(deepest)))).toBe(nested(deepest));
    for (const levels of [deepest + 1, 8000]) {
      const json = nested(levels);
      expect([eventOf(rowOf(json)), eventTextOf(rowOf(json))]).toEqual([json, json]);
    }
  });

  it('keeps numbers that JSON.parse would change, whatever the event was refused for', () => {
    const json = '[12345678901234567890]';
    expect(eventJsonOf(toRow(refused({ event: JSON.parse(json), json }), 'refused'))).toBe(json);
  });

  it('contains only storable texts and messages, and at most 255 characters of an indexed field', () => {
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

  it('has a bounded size, however many errors the event has', () => {
    const errors = Object.fromEntries(
      Array.from({ length: 1000 }, (_, index) => [`${index}`.repeat(1000), ['m'.repeat(10_000)]]),
    );
    expect(JSON.stringify(toRow(refused({ errors }), 'refused')).length).toBeLessThan(100_000);
  });

  it('is marked as incomplete if the event was truncated or not read', () => {
    const truncated = toRow(refused({ event: { text: 'ü'.repeat(20_000) } }), 'refused');
    expect(truncated.whole).toBe(false);
    expect(Buffer.byteLength(truncated.event ?? '')).toBe(16_383);
    expect(eventOf(truncated)).toBe(truncated.event);
    const unread = toRow(refused({ event: undefined }), 'refused');
    expect([unread.event, unread.whole, eventOf(unread)]).toEqual([null, false, null]);
  });
});

describe('head()', () => {
  it('returns as many whole characters of a text as fit into the given bytes', () => {
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
