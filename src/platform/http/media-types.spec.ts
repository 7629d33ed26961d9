import { EVENT_MEDIA_TYPES, JSON_TYPE, NDJSON_MEDIA_TYPES } from './media-types.js';

describe('The media types of events', () => {
  it('are those that one of the body parsers reads', () => {
    for (const type of EVENT_MEDIA_TYPES)
      expect([type, JSON_TYPE.test(type)]).toEqual([type, !NDJSON_MEDIA_TYPES.includes(type)]);
  });

  it.each(['application/json; charset=utf-8', 'application/vnd.shop.v1+json', 'application/json'])(
    'include %s',
    (type) => expect(type).toMatch(JSON_TYPE),
  );

  it.each([
    'text/json',
    'application/jsonp',
    'application/problem+json',
    'application/vnd.api+json',
    'a/b+json',
  ])('do not include %s', (type) => expect(type).not.toMatch(JSON_TYPE));
});
