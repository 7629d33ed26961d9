/** Whoever reads takes too long. */
export class StalledReaderError extends Error {
  constructor() {
    super('Its reader took too long.');
  }
}

/** The pieces as they are, as long as each is taken within so many milliseconds; else `late` is called. */
export async function* withStallTimeout<Piece>(
  pieces: AsyncIterable<Piece>,
  patience: number,
  late: () => void,
): AsyncGenerator<Piece> {
  for await (const piece of pieces) {
    const timer = setTimeout(late, patience);
    try {
      yield piece;
    } finally {
      clearTimeout(timer);
    }
  }
}
