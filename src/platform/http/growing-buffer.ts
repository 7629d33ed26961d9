/** Collects chunks into one buffer. To keep every chunk until the end costs a hundred times the bytes of chunks of one byte. */
export class GrowingBuffer {
  private buffer: Buffer = Buffer.allocUnsafe(0);
  private used = 0;

  get size(): number {
    return this.used;
  }

  /** What was appended so far. */
  get bytes(): Buffer {
    return this.buffer.subarray(0, this.used);
  }

  /** @param expected bytes in all, if they are known; room for them is made at the first chunk */
  append(chunk: Uint8Array, expected = 0): void {
    const size = this.used + chunk.length;
    if (size > this.buffer.length) {
      const needed = Math.max(size, expected);
      const larger = Buffer.allocUnsafe(this.used === 0 ? needed : Math.max(needed, this.used * 2));
      this.buffer.copy(larger, 0, 0, this.used);
      this.buffer = larger;
    }
    this.buffer.set(chunk, this.used);
    this.used = size;
  }
}
