import { acceptsCoding } from './accepts-coding.js';

describe('acceptsCoding', () => {
  it.each([
    ['gzip, deflate, br', true],
    ['gzip;q=1.0, BR ; q=0.5', true],
    ['br;q=0.001', true],
    ['br;q=0', false],
    ['gzip, br; q=0.000', false],
    ['brotli', false],
    ['*', false],
    ['', false],
    [undefined, false],
  ])('decides whether %p takes br', (header, expected) => {
    expect(acceptsCoding(header, 'br')).toBe(expected);
  });
});
