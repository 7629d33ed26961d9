import { isOriginPattern, OriginSet, parseOrigin } from './origin.js';

describe('isOriginPattern', () => {
  it.each([
    'https://shop.example',
    'http://localhost:3000',
    'http://[::1]:8080',
    'https://*.shop.example',
    'https://*.eu.shop.example:8443',
  ])('accepts %s', (text) => {
    expect(isOriginPattern(text)).toBe(true);
  });

  it.each([
    undefined,
    7,
    '',
    '*',
    'null',
    'shop.example',
    'https://shop.example/',
    'https://shop.example/path',
    'https://Shop.example',
    'https://shop.example:443',
    'https://user@shop.example',
    'file:///tmp',
    'ftp://a.b',
    'https://*',
    'https://*.',
    'https://*.com',
    'https://*.com.',
    'https://*..com',
    'https://*:443',
    'https://*.com:8443',
    'https://*.shop.example:443',
    'https://*.Shop.example',
    'https://*.shop.example/',
    'https://*shop.example',
    'https://a.*.shop.example',
    'https://*.*.shop.example',
    'https://*.127.0.0.1',
    '*.shop.example',
  ])('rejects %j', (value) => {
    expect(isOriginPattern(value)).toBe(false);
  });
});

describe('parseOrigin', () => {
  it.each([
    ['https://shop.example', 'https://shop.example'],
    ['HTTPS://Shop.Example:443', 'https://shop.example'],
    ['http://shop.example:80', 'http://shop.example'],
    ['http://shop.example:443', 'http://shop.example:443'],
    ['http://[::1]:8000', 'http://[::1]:8000'],
  ])('reads %s', (text, origin) => {
    expect(parseOrigin(text)).toBe(origin);
  });

  it.each([
    'null',
    '',
    'ftp://a.b',
    'https://shop.example/',
    'https://shop.example/path',
    'https://user@shop.example',
    'https://a.example, https://b.example',
    'https://a.example https://b.example',
    'https://*.shop.example',
    'shop.example',
  ])('knows no origin in %j', (text) => {
    expect(parseOrigin(text)).toBeUndefined();
  });
});

describe('An OriginSet', () => {
  const origins = new OriginSet([
    'https://shop.example',
    'https://*.shop.example',
    'http://*.a.example:8080',
  ]);

  it.each([
    'https://shop.example',
    'https://www.shop.example',
    'https://a.b.c.shop.example',
    'http://x.a.example:8080',
  ])('has %s', (origin) => {
    expect(origins.has(origin)).toBe(true);
  });

  it.each([
    'http://shop.example',
    'http://www.shop.example',
    'https://www.shop.example:8443',
    'https://evilshop.example',
    'https://shop.example.evil.example',
    'http://a.example:8080',
    'http://x.a.example',
    'http://[::1]:8080',
  ])('does not have %s', (origin) => {
    expect(origins.has(origin)).toBe(false);
  });

  it('has no apex of a pattern alone', () => {
    expect(new OriginSet(['https://*.shop.example']).has('https://shop.example')).toBe(false);
  });
});
