import { requestId } from './request-id.js';

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

describe('requestId()', () => {
  it.each(['a', 'abc-123_x.y:z', '0af7651916cd43dd8448eb211c80319c', 'a/b+c=', 'x'.repeat(128)])(
    'returns a valid X-Request-Id: %s',
    (given) => {
      expect(requestId({ headers: { 'x-request-id': given } })).toBe(given);
    },
  );

  it.each(['', ' ', 'a b', 'x'.repeat(129), 'é', '"', '<script>', 'a\nb', 'a, b'])(
    'returns a new UUID instead of the X-Request-Id %j',
    (given) => {
      expect(requestId({ headers: { 'x-request-id': given } })).toMatch(UUID);
    },
  );

  it('returns a new UUID for each request without an X-Request-Id', () => {
    expect(requestId({ headers: {} })).toMatch(UUID);
    expect(requestId({ headers: {} })).not.toBe(requestId({ headers: {} }));
  });
});
