import { truncate } from '../../platform/errors/bounded-errors.js';
import { FilterError } from '../../platform/filters/filter.js';

/** The part of a field that is wrong, by its place in the field: `1.where.data.price.gte: Must be …`. */
export class PlacedError extends FilterError {
  constructor(
    private readonly place: readonly (string | number)[],
    private readonly reason: string,
  ) {
    super(place.length === 0 ? reason : `${truncate(place.join('.'))}: ${reason}`);
  }

  /** The same error, seen from outside of the part that is called `part`. */
  within(part: string | number): PlacedError {
    return new PlacedError([part, ...this.place], this.reason);
  }
}

/**
 * Parses a part of a field.
 * @throws PlacedError with the place seen from outside
 */
export function parsePart<Result>(part: string | number, parse: () => Result): Result {
  try {
    return parse();
  } catch (error) {
    if (error instanceof PlacedError) throw error.within(part);
    throw error instanceof FilterError ? new PlacedError([part], error.message) : error;
  }
}
