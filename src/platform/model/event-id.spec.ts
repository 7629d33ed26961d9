import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { createHash } from 'node:crypto';
import { anyCharacter } from '../json/any-character.spec-support.js';
import { canonicalJson } from '../json/canonical-json.js';
import { dataDigest, eventId, isEventId, millisecondsOf } from './event-id.js';
import { parseTimestamp } from '../time/timestamp.js';

interface SentEvent {
  application: string;
  session_id: string;
  category: string;
  name: string;
  data: Record<string, unknown>;
  timestamp: string;
}

function idOf({ data, timestamp, ...texts }: SentEvent): string {
  const { text, milliseconds } = parseTimestamp(timestamp);
  return eventId({ ...texts, canonicalData: canonicalJson(data, 100), timestamp: text }, milliseconds);
}

const PAGEVIEW: SentEvent = {
  application: 'default',
  session_id: 'e2085be5-9137-4e4e-80b5-f1ffddc25423',
  category: 'page interaction',
  name: 'pageview',
  data: { host: 'www.consumeraffairs.com', path: '/' },
  timestamp: '2021-01-01 09:15:29.243860',
};

const text = fc.string({ unit: anyCharacter }).map((characters) => characters.replaceAll('\0', '\n'));
const sent: fc.Arbitrary<SentEvent> = fc.record({
  application: text,
  session_id: text,
  category: text,
  name: text,
  data: fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 1 }), { maxKeys: 4 }),
  timestamp: fc
    .date({ min: new Date(0), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true })
    .map((date) => date.toISOString()),
});

/** Bits of a UUID, numbered from the left as in RFC 9562. */
function bits(id: string, from: number, count: number): bigint {
  return (BigInt(`0x${id.replaceAll('-', '')}`) >> BigInt(128 - from - count)) & ((1n << BigInt(count)) - 1n);
}

describe('The identifier of an event', () => {
  it('never changes between releases, because stored events are identified by it', () => {
    expect(idOf(PAGEVIEW)).toBe('0176bd3b-005b-8e87-b810-d98f192d5f04');
  });

  it('is a UUIDv8 (RFC 9562, 5.8): milliseconds, then the SHA-256 of the canonical fields', () => {
    fc.assert(
      fc.property(sent, (event) => {
        const timestamp = `${event.timestamp.slice(0, -1)}000Z`;
        const digest = createHash('sha256')
          .update(canonicalize({ ...event, timestamp }) ?? '')
          .digest('hex');
        const time = Date.parse(event.timestamp).toString(16).padStart(12, '0');
        const bytes = Buffer.from(`${time}8${digest.slice(0, 19)}`, 'hex');
        bytes[8] = (Number(bytes[8]) & 0b0011_1111) | 0b1000_0000;
        expect(idOf(event).replaceAll('-', '')).toBe(bytes.toString('hex'));
      }),
    );
  });

  it('carries its version, its variant and the milliseconds of its event', () => {
    fc.assert(
      fc.property(sent, (event) => {
        const id = idOf(event);
        expect(id).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
        expect(bits(id, 0, 48)).toBe(BigInt(Date.parse(event.timestamp)));
        expect(bits(id, 48, 4)).toBe(8n);
        expect(bits(id, 64, 2)).toBe(0b10n);
        expect(millisecondsOf(id)).toBe(Date.parse(event.timestamp));
        expect(isEventId(id)).toBe(true);
      }),
    );
  });

  it('is the same for a retry with another order of keys and another format of the timestamp', () => {
    const retry = {
      ...PAGEVIEW,
      data: { path: '/', host: 'www.consumeraffairs.com' },
      timestamp: '2021-01-01T11:15:29.24386+02:00',
    };
    expect(idOf(retry)).toBe(idOf(PAGEVIEW));
  });

  it('differs if any field differs', () => {
    fc.assert(
      fc.property(
        sent,
        sent,
        fc.constantFrom(...(Object.keys(PAGEVIEW) as (keyof SentEvent)[])),
        (one, other, field) => {
          fc.pre(canonicalize(one[field]) !== canonicalize(other[field]));
          expect(idOf({ ...one, [field]: other[field] })).not.toBe(idOf(one));
        },
      ),
    );
  });

  it('differs if the same characters are divided between fields differently', () => {
    expect(idOf({ ...PAGEVIEW, category: 'a', name: 'bc' })).not.toBe(
      idOf({ ...PAGEVIEW, category: 'ab', name: 'c' }),
    );
  });

  it('differs by one microsecond', () => {
    expect(idOf({ ...PAGEVIEW, timestamp: '2021-01-01 09:15:29.243861' })).not.toBe(idOf(PAGEVIEW));
  });

  it('sorts by time', () => {
    fc.assert(
      fc.property(sent, sent, (one, other) => {
        fc.pre(one.timestamp < other.timestamp);
        expect(idOf(one) < idOf(other)).toBe(true);
      }),
    );
  });

  it('has time bits of 0 for a timestamp before 1970', () => {
    const id = idOf({ ...PAGEVIEW, timestamp: '1969-12-31T23:59:59.999999Z' });
    expect(bits(id, 0, 48)).toBe(0n);
    expect(isEventId(id)).toBe(true);
  });
});

describe('isEventId()', () => {
  const id = '0176bd5a-2e33-8c5c-9d0e-2f3f4a0b8f51';

  it.each([
    ['empty', ''],
    ['a number', '42'],
    ['a UUIDv4', 'e2085be5-9137-4e4e-80b5-f1ffddc25423'],
    ['of another variant', id.replace('-9d0e-', '-cd0e-')],
    ['without hyphens', id.replaceAll('-', '')],
    ['followed by a line break', `${id}\n`],
    ['later than the year 9999', `e677d21fdc00-8c5c-9d0e-2f3f4a0b8f51`.replace(/^(.{8})/, '$1-')],
  ])('rejects an identifier that is invalid: %s', (_, other) => {
    expect(isEventId(id)).toBe(true);
    expect(isEventId(other)).toBe(false);
  });
});

describe('The digest of a payload', () => {
  it('is the SHA-256 of its canonical text in UTF-8', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (canonicalData) => {
        expect(dataDigest(canonicalData)).toBe(
          createHash('sha256').update(canonicalData, 'utf8').digest('hex'),
        );
      }),
    );
  });
});
