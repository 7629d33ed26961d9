import { preferredWait } from './prefer-header.js';

describe('preferredWait()', () => {
  it.each([
    ['wait=5', 5],
    ['Wait = 5', 5],
    ['wait="5"', 5],
    ['respond-async, wait=5', 5],
    ['wait=5, respond-async', 5],
    ['wait=5; foo=bar', 5],
    ['wait=0', 0],
    ['wait=5, wait=7', 5],
  ])('reads %s as %i seconds', (header, seconds) => {
    expect(preferredWait(header, 30)).toBe(seconds);
  });

  it('reads the second of two headers', () => {
    expect(preferredWait(['respond-async', 'wait=5'], 30)).toBe(5);
  });

  it.each(['wait=30', 'wait=31', 'wait=999999999', `wait=${'9'.repeat(400)}`])(
    'returns at most the limit for %s',
    (header) => {
      expect(preferredWait(header, 30)).toBe(30);
    },
  );

  it.each([
    undefined,
    '',
    'wait',
    'wait=',
    'wait=-1',
    'wait=1.5',
    'wait=soon',
    'await=5',
    'no-wait=5',
    'x="wait=5"',
  ])('returns 0 for %p', (header) => {
    expect(preferredWait(header, 30)).toBe(0);
  });
});
