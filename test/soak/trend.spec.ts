import { grows, trendOf } from './trend.js';

const rising = Array.from({ length: 300 }, (_, index) => 100 + index);
const slack = { share: 0.1, plus: 5 };

describe('A trend', () => {
  it('is the percentile of each third', () => {
    expect(trendOf(rising)).toEqual({ first: 149, middle: 249, last: 349 });
    expect(trendOf(rising, 1)).toEqual({ first: 199, middle: 299, last: 399 });
  });

  it('grows beyond its slack, and also without samples', () => {
    expect(grows(trendOf(rising), slack)).toBe(true);
    expect(grows(trendOf([]), slack)).toBe(true);
  });

  it('does not grow if it is flat, falls, or has short peaks', () => {
    expect(grows(trendOf(rising.map(() => 100)), slack)).toBe(false);
    expect(grows(trendOf(rising.toReversed()), slack)).toBe(false);
    expect(grows(trendOf(rising.map((_, index) => (index % 10 ? 100 : 900))), slack)).toBe(false);
  });
});
