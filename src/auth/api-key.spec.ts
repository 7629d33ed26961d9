import { createHash } from 'node:crypto';
import { SCOPES } from './caller.js';
import { digestOf, isApiKey, generateApiKey, prefixOf, scopeOf } from './api-key.js';

describe('a key', () => {
  it.each(SCOPES)('of scope %s says so, is recognised, and is like no other', (scope) => {
    const keys = Array.from({ length: 100 }, () => generateApiKey(scope));
    expect(new Set(keys).size).toBe(100);
    for (const key of keys) {
      expect(key).toMatch(new RegExp(`^eye_${scope}_[A-Za-z0-9_-]{43}$`));
      expect(isApiKey(key)).toBe(true);
      expect(scopeOf(key)).toBe(scope);
      expect(prefixOf(key)).toBe(key.slice(0, `eye_${scope}_`.length + 6));
    }
  });

  it('is kept as its SHA-256', () => {
    const key = generateApiKey('read');
    expect(Buffer.from(digestOf(key), 'base64url')).toEqual(createHash('sha256').update(key).digest());
  });

  const good = generateApiKey('ingest');
  it.each([
    ['nothing', undefined],
    ['an empty text', ''],
    ['one of two', [good, good]],
    ['another scope', good.replace('ingest', 'root')],
    ['another beginning', good.replace('eye', 'ear')],
    ['a character less', good.slice(0, -1)],
    ['a character more', `${good}A`],
    ['a line more', `${good}\n`],
    ['bits that no 32 bytes have', `${good.slice(0, -1)}B`],
    ['a character of another alphabet', good.replace(/.{5}$/, '+AAAA')],
  ])('of a wrong form (%s) is none', (_, text) => {
    expect(isApiKey(text)).toBe(false);
  });
});
