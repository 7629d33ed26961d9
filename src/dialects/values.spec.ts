import { textViolation, exceedsMaxTextsBytes } from '../platform/model/event-text.js';
import { cut, fromMilliseconds, idOf, instantOf, microseconds, sessionId } from './values.js';

const LONG = ['a'.repeat(300), 'ü'.repeat(300), '🎉'.repeat(300), '漢'.repeat(1000)];

describe('cut', () => {
  it.each(LONG)('leaves a prefix that an event takes', (text) => {
    const name = cut(text);
    expect(text.startsWith(name)).toBe(true);
    expect(textViolation(name)).toBeUndefined();
    expect(exceedsMaxTextsBytes(name.repeat(3))).toBe(false);
  });

  it.each(['a', 'a'.repeat(255), 'Grüße 🎉'])('leaves %s as it is', (text) => {
    expect(cut(text)).toBe(text);
  });
});

describe('sessionId', () => {
  it('keeps long ids apart that begin with the same characters', () => {
    const ids = LONG.flatMap((text) => [`${text}1`, `${text}2`]).map(sessionId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(textViolation(id)).toBeUndefined();
  });

  it('leaves a short id as it is', () => {
    expect(sessionId('anon-1')).toBe('anon-1');
  });
});

describe('idOf', () => {
  it.each([
    ['a', 'a'],
    [1_795_872_682_517, '1795872682517'],
    ['', undefined],
    [null, undefined],
    [['a'], undefined],
  ])('makes of %j the id %j', (value, id) => {
    expect(idOf(value)).toBe(id);
  });
});

describe('microseconds', () => {
  it.each([
    ['2026-11-28T13:25:39.435123456Z', '2026-11-28T13:25:39.435123Z'],
    ['2026-11-28T13:25:39.435123456+02:00', '2026-11-28T13:25:39.435123+02:00'],
    ['2026-11-28T13:25:39,4351239-0130', '2026-11-28T13:25:39,435123-0130'],
    ['2026-11-28T13:25:39.435Z', '2026-11-28T13:25:39.435Z'],
    ['never', 'never'],
    [7, 7],
    [undefined, undefined],
  ])('makes of %j the time %j', (time, expected) => {
    expect(microseconds(time)).toBe(expected);
  });
});

describe('fromMilliseconds', () => {
  it.each([
    [1_795_872_358_336, '2026-11-28T13:25:58.336000Z'],
    ['1795872358336', '2026-11-28T13:25:58.336000Z'],
    ['soon', 'soon'],
    [9e15, '9000000000000000'],
    [null, null],
    [undefined, undefined],
  ])('makes of %j the time %j', (value, expected) => {
    expect(fromMilliseconds(value)).toBe(expected);
  });
});

describe('instantOf', () => {
  it.each([
    ['2026-11-28T13:25:58.336Z', 1_795_872_358_336],
    [1_795_872_358_336, 1_795_872_358_336],
    ['now', undefined],
    [{}, undefined],
    [NaN, undefined],
  ])('makes of %j the instant %j', (value, expected) => {
    expect(instantOf(value)).toBe(expected);
  });
});
