import { requestId } from './request-id.js';

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

describe('The identifier of a request', () => {
  it.each(['a', 'abc-123_x.y:z', '0af7651916cd43dd8448eb211c80319c', 'a/b+c=', 'x'.repeat(128)])(
    'is the one that was given: %s',
    (given) => {
      expect(requestId({ headers: { 'x-request-id': given } })).toBe(given);
    },
  );

  it.each(['', ' ', 'a b', 'x'.repeat(129), 'é', '"', '<script>', 'a\nb', 'a, b'])(
    'is a new one in place of %j',
    (given) => {
      expect(requestId({ headers: { 'x-request-id': given } })).toMatch(UUID);
    },
  );

  it('is a new one each time where none is given', () => {
    expect(requestId({ headers: {} })).toMatch(UUID);
    expect(requestId({ headers: {} })).not.toBe(requestId({ headers: {} }));
  });
});
