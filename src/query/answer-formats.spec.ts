import fc from 'fast-check';
import { elementsOf } from './answer-formats.js';

describe('elementsOf()', () => {
  it('splits a JSON array into the texts of its elements', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), fc.constantFrom(undefined, 1), (values, indent) => {
        const texts = values.map((value) => JSON.stringify(value, undefined, indent));
        expect(elementsOf(`[${texts.join(', ')}]`)).toEqual(values.length === 0 ? [''] : texts);
      }),
    );
  });
});
