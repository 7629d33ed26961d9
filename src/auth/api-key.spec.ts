import { createHash } from 'node:crypto';
import { SCOPES } from './caller.js';
import { digestOf, isApiKey, generateApiKey, prefixOf, scopeOf } from './api-key.js';

describe('An API key', () => {
  it.each(SCOPES)('of scope %s names its scope, has the form of a key and is unique', (scope) => {
    const keys = Array.from({ length: 100 }, () => generateApiKey(scope));
    expect(new Set(keys).size).toBe(100);
    for (const key of keys) {
      expect(key).toMatch(new RegExp(`^eye_${scope}_[A-Za-z0-9_-]{43}$`));
      expect(isApiKey(key)).toBe(true);
      expect(scopeOf(key)).toBe(scope);
      expect(prefixOf(key)).toBe(key.slice(0, `eye_${scope}_`.length + 6));
    }
  });

  it('is stored as its SHA-256', () => {
    const key = generateApiKey('read');
    expect(Buffer.from(digestOf(key), 'base64url')).toEqual(createHash('sha256').update(key).digest());
  });

  const valid = generateApiKey('ingest');
  it.each([
    ['undefined', undefined],
    ['an empty string', ''],
    ['an array of two', [valid, valid]],
    ['another scope', valid.replace('ingest', 'root')],
    ['another prefix', valid.replace('eye', 'ear')],
    ['a missing character', valid.slice(0, -1)],
    ['an additional character', `${valid}A`],
    ['an additional line break', `${valid}\n`],
    ['a last character that no 32 bytes encode to', `${valid.slice(0, -1)}B`],
    ['a character outside base64url', valid.replace(/.{5}$/, '+AAAA')],
  ])('of an invalid form is rejected: %s', (_, value) => {
    expect(isApiKey(value)).toBe(false);
  });
});
