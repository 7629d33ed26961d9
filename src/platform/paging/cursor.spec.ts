import fc from 'fast-check';
import { anyCharacter } from '../json/any-character.spec-support.js';
import { type Cursor, CursorError, decodeCursor, encodeCursor, UNKNOWN_CURSOR } from './cursor.js';
import { parseTimestamp } from '../time/timestamp.js';
import { timeOrderedId } from '../model/time-ordered-id.js';

const cursors: fc.Arbitrary<Cursor> = fc
  .record({
    direction: fc.constantFrom('next' as const, 'previous' as const),
    date: fc.date({
      min: new Date('0001-01-01T00:00:00Z'),
      max: new Date('9999-12-31T23:59:59.999Z'),
      noInvalidDate: true,
    }),
    digits: fc.stringMatching(/^[0-9a-f]{19}$/),
  })
  .map(({ direction, date, digits }) => {
    const { text, milliseconds } = parseTimestamp(date.toISOString());
    return { direction, timestamp: text, id: timeOrderedId(milliseconds, digits) };
  });

const CURSOR: Cursor = {
  direction: 'next',
  timestamp: '2021-01-01T09:15:29.243860Z',
  id: '0176bd5a-2e33-8c5c-9d0e-2f3f4a0b8f51',
};
const QUERY = 'category=click&ordering=-timestamp';
const BASE64URL = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'];

describe('A cursor', () => {
  it('is decoded into what was encoded', () => {
    fc.assert(
      fc.property(cursors, fc.string({ unit: 'grapheme' }), (cursor, query) => {
        expect(decodeCursor(encodeCursor(cursor, query), query)).toEqual(cursor);
      }),
    );
  });

  it('needs no escaping in a URL', () => {
    const text = encodeCursor(CURSOR, QUERY);
    expect(encodeURIComponent(text)).toBe(text);
  });

  it('is rejected when any character is replaced by any other', () => {
    const text = encodeCursor(CURSOR, QUERY);
    for (let at = 0; at < text.length; at++) {
      for (const character of BASE64URL.filter((other) => other !== text[at])) {
        const changed = text.slice(0, at) + character + text.slice(at + 1);
        expect(() => decodeCursor(changed, QUERY)).toThrow(CursorError);
      }
    }
  });

  it('is rejected when it is truncated or extended', () => {
    const text = encodeCursor(CURSOR, QUERY);
    for (const other of [text.slice(0, -1), text.slice(1), `${text}A`, `${text}=`, ` ${text}`, `${text}\n`]) {
      expect(() => decodeCursor(other, QUERY)).toThrow(CursorError);
    }
  });

  it('is rejected with another query, and the error says so', () => {
    fc.assert(
      fc.property(cursors, fc.string(), fc.string(), (cursor, query, another) => {
        fc.pre(query !== another);
        expect(() => decodeCursor(encodeCursor(cursor, query), another)).toThrow(
          new CursorError('This cursor belongs to another query; filters and ordering must stay the same.'),
        );
      }),
    );
  });

  it.each([
    ['a day that does not exist', { ...CURSOR, timestamp: '2021-02-30T00:00:00.000000Z' }],
    ['an id that is not a UUIDv8', { ...CURSOR, id: 'e2085be5-9137-4e4e-80b5-f1ffddc25423' }],
  ])('is rejected with %s, even if its fingerprint is right', (_, cursor) => {
    expect(() => decodeCursor(encodeCursor(cursor, QUERY), QUERY)).toThrow(new CursorError(UNKNOWN_CURSOR));
  });

  it('is rejected with a CursorError, whatever the text', () => {
    const plain = fc.string({ unit: anyCharacter });
    const wrapped = plain.map((text) => Buffer.from(text).toString('base64url'));
    fc.assert(
      fc.property(fc.oneof(plain, wrapped, fc.base64String()), (garbage) => {
        expect(() => decodeCursor(garbage, QUERY)).toThrow(CursorError);
      }),
    );
  });
});
