import { contentCodingOf } from './content-coding.js';

describe('contentCodingOf()', () => {
  it.each([
    [undefined, undefined],
    ['', undefined],
    ['identity', undefined],
    ['gzip', 'gzip'],
    ['X-GZIP', 'gzip'],
    [' identity, GZip ,', 'gzip'],
    ['deflate', 'deflate'],
    ['br', 'br'],
    ['zstd', 'zstd'],
  ])('reads %j as %s', (header, coding) => {
    expect(contentCodingOf(header)).toBe(coding);
  });

  it.each(['compress', 'dcb', 'gzip, br', 'gzip, gzip', 'constructor', 'aws-chunked'])(
    'refuses %s by name',
    (header) => {
      expect(() => contentCodingOf(header)).toThrow(`not with Content-Encoding: ${header}.`);
    },
  );
});
