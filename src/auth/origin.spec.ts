import { isOrigin } from './origin.js';

describe('isOrigin', () => {
  it.each(['https://shop.example', 'http://localhost:3000', 'http://[::1]:8080'])('accepts %s', (text) => {
    expect(isOrigin(text)).toBe(true);
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
  ])('rejects %j', (value) => {
    expect(isOrigin(value)).toBe(false);
  });
});
