import { parseWhere } from './step.js';

describe('A PlacedError', () => {
  it('shortens the place, which may be as long as a body', () => {
    expect(() => parseWhere({ [`data.${'a.'.repeat(50_000)}b`]: 1 })).toThrow(
      /^data\.a\.[a.]{1,255}…: Must have at most 100 levels\.$/,
    );
  });
});
