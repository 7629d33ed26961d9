import { preferredWait } from './prefer-header.js';

describe('the seconds to wait by a Prefer header', () => {
  it.each([
    ['wait=5', 5],
    ['Wait = 5', 5],
    ['wait="5"', 5],
    ['respond-async, wait=5', 5],
    ['wait=5, respond-async', 5],
    ['wait=5; foo=bar', 5],
    ['wait=0', 0],
    ['wait=5, wait=7', 5],
  ])('%s: %i', (header, seconds) => {
    expect(preferredWait(header, 30)).toBe(seconds);
  });

  it('may stand in the second of two headers', () => {
    expect(preferredWait(['respond-async', 'wait=5'], 30)).toBe(5);
  });

  it.each(['wait=30', 'wait=31', 'wait=999999999', `wait=${'9'.repeat(400)}`])(
    'are at most the limit: %s',
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
  ])('are none where %p asks for none', (header) => {
    expect(preferredWait(header, 30)).toBe(0);
  });
});
