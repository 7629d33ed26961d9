import fc from 'fast-check';
import { anyCharacter } from '../../src/platform/json/any-character.spec-support.js';

/** Names with a special meaning in JavaScript, in libraries or in The Eye. */
export const PECULIAR_NAMES = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'valueOf',
  'hasOwnProperty',
  'toJSON',
  'then',
  'length',
  'id',
  'key',
  'data',
  '$ref',
  '0',
  '-1',
  '',
  ' ',
  'a.b',
  'a[]',
  'a[b]',
];

const PECULIAR_TEXTS = [
  ...PECULIAR_NAMES,
  '\0',
  'a\0b',
  '\uD800',
  'a\uDC00',
  '\uDE00\uD83D',
  '\uFEFF',
  '\uFFFD',
  '\uFFFF',
  '\u2028',
  '\u202E',
  '\x7F',
  '\x1B[31m',
  '\r\nX-Injected: 1',
  'e\u0301',
  'é',
  '𝄞',
  '👨‍👩‍👧‍👦',
  'İ',
  'ß',
  "'; DROP TABLE events; --",
  '%',
  '_',
  '\\',
  '"',
  '${7*7}',
  '{{7*7}}',
  '../../etc/passwd',
  '/',
  '//',
  '.',
  '..',
  '?',
  '#',
  '&',
  '+',
  ';',
  '%00',
  '%2F',
  'null',
  'undefined',
  'NaN',
  'true',
  '[object Object]',
  'summary',
  'retry',
];

/** Around the limits of The Eye: characters of a text, bytes of three texts, length of a path segment. */
const TEXT_LENGTHS = [62, 63, 64, 200, 201, 254, 255, 256, 600, 1019, 1020, 1021, 2400, 2401, 10_001];

const NUMBER_TEXTS = [
  '0',
  '1',
  '-1',
  '-0',
  '1.0',
  '1.5',
  '01',
  '+1',
  ' 1',
  '1e2',
  '1e400',
  '0x10',
  '0b1',
  '1_000',
  '٣',
  'Infinity',
  '2147483647',
  '2147483648',
  '9007199254740991',
  '9007199254740993',
  '9223372036854775808',
  '99999999999999999999999999',
];

const pick = <T>(...values: T[]): fc.Arbitrary<T> => fc.constantFrom(...values);

/** Timestamps, most of them at or beyond the limits of valid ones. */
const edgeInstant = fc
  .tuple(
    pick(
      '0000',
      '0001',
      '1',
      '1582',
      '1969',
      '1970',
      '2000',
      '2021',
      '2038',
      '9999',
      '10000',
      '-0001',
      '+2021',
    ),
    pick('00', '01', '02', '10', '12', '13', '1'),
    pick('00', '01', '05', '15', '28', '29', '30', '31', '32'),
    pick('', 'T', ' ', 't', '  '),
    pick('00', '09', '23', '24', '25'),
    pick('00', '59', '60'),
    pick('', ':00', ':59', ':60', ':61'),
    pick(
      '',
      '.0',
      '.5',
      '.000001',
      '.999999',
      '.9999999',
      '.1234560',
      '.123456000',
      '.000000001',
      '.1234567890',
      ',5',
      '.',
    ),
    pick(
      '',
      'Z',
      'z',
      '+00:00',
      '-00:00',
      '+14:00',
      '+23:59',
      '-23:59',
      '+24:00',
      '+0530',
      '-05',
      ' 02:00',
      ' BC',
    ),
  )
  .map(([year, month, day, separator, hour, minute, ...rest]) =>
    separator === ''
      ? `${year}-${month}-${day}`
      : `${year}-${month}-${day}${separator}${hour}:${minute}${rest.join('')}`,
  );

/** Valid timestamps in common formats. */
export const usualInstant = fc
  .tuple(
    fc.integer({ min: Date.parse('0001-01-02T00:00:00Z'), max: Date.parse('2026-01-01T00:00:00Z') }),
    fc.nat({ max: 999 }),
    pick('T', ' ', 't'),
    pick('', '', '0', '00', '000'),
    pick('', 'Z', 'z', '+00:00', '+02:00', '-0930'),
  )
  .map(
    ([milliseconds, micros, separator, zeros, zone]) =>
      new Date(milliseconds).toISOString().slice(0, -1).replace('T', separator) +
      String(micros).padStart(3, '0') +
      zeros +
      zone,
  );

export const anyInstant = fc.oneof(
  { arbitrary: usualInstant, weight: 2 },
  { arbitrary: edgeInstant, weight: 3 },
  {
    arbitrary: pick(
      'infinity',
      '-infinity',
      'now',
      'epoch',
      'today',
      '20210101',
      '2021-W01-1',
      '2021-001',
      '0',
    ),
    weight: 1,
  },
);

/** A time close to now, which may be in the future when sent and in the past when checked again. */
export const nearlyNow = fc
  .integer({ min: -5, max: 320 })
  .map((seconds) => new Date(Date.now() + seconds * 1000).toISOString());

/** Unusual texts for any field. */
export const peculiarText: fc.Arbitrary<string> = fc.oneof(
  pick(...PECULIAR_TEXTS),
  pick(...NUMBER_TEXTS),
  anyInstant,
  fc.uuid(),
  fc.string({ unit: anyCharacter, maxLength: 12 }),
  fc.tuple(pick(...TEXT_LENGTHS), pick('x', 'é', '𝄞', '\uD800')).map(([length, unit]) => unit.repeat(length)),
);

/** Bytes that are allowed in a header value: no control characters. */
export const headerText = fc
  .oneof(
    peculiarText.map((text) => Buffer.from(text).filter((byte) => byte >= 0x20 && byte !== 0x7f)),
    fc.constantFrom(...PECULIAR_NAMES).map((name) => Buffer.from(name)),
  )
  .map((bytes) => Buffer.from(bytes).toString('latin1'));

/** Ordinary texts, as most applications send them. */
export const usualText = (minLength = 0, maxLength = 40): fc.Arbitrary<string> =>
  fc.oneof(
    fc.string({ minLength, maxLength: Math.min(maxLength, 40) }),
    fc
      .string({ unit: 'grapheme', minLength, maxLength: Math.min(maxLength, 12) })
      .filter((text) => text.length <= maxLength),
  );
