/** The reader of a response did not take a chunk in time. */
export class StalledReaderError extends Error {
  constructor() {
    super('The reader took too long.');
  }
}

/**
 * Passes chunks on, and calls `onStall` when one is not taken within `timeoutMs`. The time that the source needs for a
 * chunk does not count.
 */
export async function* withStallTimeout<Chunk>(
  chunks: AsyncIterable<Chunk>,
  timeoutMs: number,
  onStall: () => void,
): AsyncGenerator<Chunk> {
  for await (const chunk of chunks) {
    const timer = setTimeout(onStall, timeoutMs);
    try {
      yield chunk;
    } finally {
      clearTimeout(timer);
    }
  }
}
