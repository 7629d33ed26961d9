const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const SMALL_N = 0x6e;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const BLANK = 0x20;

/** A member of an object, at whose value the cursor stands. */
export interface JsonMember {
  readonly name: string;
  /** Offset of the name. */
  readonly start: number;
}

/** Moves over JSON text that is known to be valid, without parsing it. */
export class JsonCursor {
  private at: number;

  constructor(private readonly bytes: Buffer) {
    // A byte order mark.
    this.at = bytes[0] === 0xef ? 3 : 0;
    this.skipBlanks();
  }

  get offset(): number {
    return this.at;
  }

  get isAtObject(): boolean {
    return this.bytes[this.at] === OPEN_BRACE;
  }

  get isAtArray(): boolean {
    return this.bytes[this.at] === OPEN_BRACKET;
  }

  get isAtNull(): boolean {
    return this.bytes[this.at] === SMALL_N;
  }

  /** The members of the object at the cursor. The caller moves over each value. */
  *members(): Generator<JsonMember> {
    for (this.enter(); this.bytes[this.at] !== CLOSE_BRACE; this.skipSeparator()) {
      const start = this.at;
      this.skipString();
      const quoted = this.bytes.toString('utf8', start, this.at);
      this.skipBlanks();
      // The colon.
      this.at++;
      this.skipBlanks();
      yield { name: JSON.parse(quoted) as string, start };
    }
    this.at++;
  }

  /** The offsets of the elements of the array at the cursor. The caller moves over each of them. */
  *elements(): Generator<number> {
    for (this.enter(); this.bytes[this.at] !== CLOSE_BRACKET; this.skipSeparator()) yield this.at;
    this.at++;
  }

  /** Moves to the end of the value at the cursor. */
  skipValue(): void {
    let depth = 0;
    do {
      const byte = this.bytes[this.at] as number;
      if (byte === QUOTE) {
        this.skipString();
        continue;
      }
      if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth++;
      else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) depth--;
      else if (depth === 0) {
        this.skipLiteral();
        continue;
      }
      this.at++;
    } while (depth > 0);
  }

  private enter(): void {
    this.at++;
    this.skipBlanks();
  }

  private skipSeparator(): void {
    this.skipBlanks();
    if (this.bytes[this.at] !== COMMA) return;
    this.at++;
    this.skipBlanks();
  }

  private skipBlanks(): void {
    while ((this.bytes[this.at] ?? COMMA) <= BLANK) this.at++;
  }

  /** Byte by byte: a string of nothing but escaped quotes would take several times as long from one quote to the next. */
  private skipString(): void {
    const { bytes } = this;
    let at = this.at + 1;
    while (bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
    this.at = at + 1;
  }

  /** A number, `true`, `false` or `null`. */
  private skipLiteral(): void {
    let byte: number;
    do byte = this.bytes[++this.at] ?? COMMA;
    while (byte > BLANK && byte !== COMMA && byte !== CLOSE_BRACE && byte !== CLOSE_BRACKET);
  }
}
