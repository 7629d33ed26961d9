import { generateApiKey } from './api-key.js';
import { ownKey } from './key-places.js';

const KEY = generateApiKey('ingest');

describe('ownKey', () => {
  it.each([
    [KEY, KEY],
    [`${KEY}:secret`, KEY],
    // Refused later, by name: the events of a mistyped key must not go to the application of nobody.
    ['eye_ingest_mistyped', 'eye_ingest_mistyped'],
    ['phc_key', undefined],
    ['WRITEKEY123:', undefined],
    ['', undefined],
    [undefined, undefined],
    [[KEY], undefined],
  ])('makes of %j the key %j', (presented, key) => {
    expect(ownKey(presented)).toBe(key);
  });
});
