/** V8 allocates typed arrays of up to 64 bytes in its heap, which costs a fifth of a larger one outside. */
const INITIAL_BYTES = 64;

/** A stack of bits, a byte each: millions of levels take megabytes, and growing it copies them in a moment. */
export class BitStack {
  private bits = new Uint8Array(INITIAL_BYTES);
  length = 0;

  /** False if the stack is empty. */
  get top(): boolean {
    return this.bits[this.length - 1] === 1;
  }

  /** The first bit that was pushed. False if the stack is empty. */
  get bottom(): boolean {
    return this.length > 0 && this.bits[0] === 1;
  }

  push(bit: boolean): void {
    if (this.length === this.bits.length) {
      const larger = new Uint8Array(this.length * 2);
      larger.set(this.bits);
      this.bits = larger;
    }
    this.bits[this.length++] = bit ? 1 : 0;
  }

  pop(): void {
    this.length--;
  }

  clear(): void {
    this.length = 0;
  }
}
