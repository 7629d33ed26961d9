import type { Timeslice } from '../async/timeslice.js';
import { isExact } from './exact-json.js';
import { BitStack } from './bit-stack.js';

/** The bounds of a value, which are checked before it is parsed. */
export interface ValueBounds {
  /** Bytes as it was sent. */
  readonly bytes: number;
  /** Keys in all of its objects together. */
  readonly keys: number;
  /** Levels of objects and arrays within the value. */
  readonly depth: number;
}

/** A value of a body: an element of the array, a line, or the whole body. */
export interface ScannedValue {
  /** Offset of the first byte. */
  readonly start: number;
  /** Offset after the last byte. */
  readonly end: number;
  /** Keys in all of its objects together. The parsed value has fewer if a key stands twice in an object. */
  readonly keys: number;
  /** True if it contains a number that a double cannot hold. */
  readonly hasInexactNumber: boolean;
  /** A bound of its size that it exceeds. Such a value must not be parsed. */
  readonly exceeded: 'bytes' | 'keys' | undefined;
  /** True if it is nested deeper than the bound. */
  readonly isTooDeep: boolean;
  /** Offset of the key of the field that is nested too deep, if the value is an object. */
  readonly deepField: number | undefined;
  /** Why a line is not JSON. */
  readonly syntaxError: string | undefined;
}

/** Bytes that are scanned in one step. */
const STEP_BYTES = 16 * 1024;

/** A longer number may need more digits than a double has. */
const MAX_EXACT_LENGTH = 15;

const TAB = 0x09;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const PLUS = 0x2b;
const COMMA = 0x2c;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const CAPITAL_E = 0x45;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const SMALL_E = 0x65;
const SMALL_U = 0x75;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const BOM = [0xef, 0xbb, 0xbf];

/** 1 for the bytes that stand for themselves in a string. */
const IS_TEXT = new Uint8Array(256)
  .fill(1, SPACE)
  .fill(0, QUOTE, QUOTE + 1)
  .fill(0, BACKSLASH, BACKSLASH + 1);

/** Bytes that may follow a backslash, without `u`. */
const ESCAPES = new Set(Buffer.from('"\\/bfnrt'));

/** Literals by their first byte. */
const LITERALS = new Map(['true', 'false', 'null'].map((word) => [word.charCodeAt(0), Buffer.from(word)]));

/** What the next byte that is not blank may be. */
const enum Expected {
  BodyOrArray,
  Value,
  ValueOrBracket,
  Key,
  KeyOrBrace,
  Colon,
  CommaOrClose,
  RestOfString,
  CommaOrEndOfArray,
  End,
}

/**
 * Splits a body into its values. In the same pass it checks what must be known before a value is parsed: the syntax
 * (RFC 8259), the bounds of each value, and whether it contains numbers that a double cannot hold.
 *
 * It works in steps of bounded time and without recursion, so that the caller can yield to the event loop in between.
 */
export class JsonScanner {
  readonly values: ScannedValue[] = [];
  /** True if the body consists of lines or is an array. */
  isMany: boolean;
  /** Why the body, unless it consists of lines, is not JSON. */
  syntaxError: string | undefined;
  private at = 0;
  /** Offset of the end of the current line, or of the body. */
  private end: number;
  private expected: Expected;
  /** The objects (true) and arrays (false) that are open within the current value. */
  private readonly open = new BitStack();
  private isKey = false;
  /** Offset of the current value; -1 between values. */
  private start = -1;
  private keys = 0;
  private hasInexactNumber = false;
  private isTooDeep = false;
  /** Offset of the latest key of the value itself. */
  private field: number | undefined;
  private deepField: number | undefined;
  private lineStart = 0;
  private lineHasValue = false;

  /**
   * @param bytes UTF-8. A line may be invalid, since all bytes of other characters are above 0x7F
   * @param isLines true if every line is a value (NDJSON); false for an array of values or a single value
   * @param maxValues values after which the scan ends; one more than these are found
   */
  constructor(
    private readonly bytes: Buffer,
    private readonly isLines: boolean,
    private readonly bounds: ValueBounds,
    private readonly maxValues: number,
  ) {
    this.isMany = isLines;
    this.end = isLines ? 0 : bytes.length;
    this.expected = isLines ? Expected.End : Expected.BodyOrArray;
    if (!isLines) this.skipBom();
  }

  /** True if the body has more than `maxValues` values. The rest of it is not scanned. */
  get hasTooMany(): boolean {
    return this.values.length > this.maxValues;
  }

  /** Scans to the end, and yields to the event loop in between. */
  async run(slice: Timeslice): Promise<void> {
    while (this.advance()) if (slice.isOver) await slice.next();
  }

  /** Takes a step. @returns false at the end of the scan */
  advance(): boolean {
    const stop = this.at + STEP_BYTES;
    while (this.at < stop) {
      if (this.hasTooMany || this.syntaxError !== undefined) return false;
      if (this.at < this.end) this.scan(Math.min(stop, this.end));
      else {
        this.checkEnd();
        if (!this.isLines || !this.nextLine(stop)) return false;
      }
    }
    return true;
  }

  /** Skips blank lines, up to `stop`. @returns false at the end of the body */
  private nextLine(stop: number): boolean {
    const { bytes } = this;
    while (this.at < stop && isBlank(bytes[this.at])) this.at++;
    this.end = this.at;
    if (this.at >= bytes.length) return false;
    if (this.at >= stop) return true;
    this.skipBom();
    const lineFeed = bytes.indexOf(LINE_FEED, this.at);
    this.end = lineFeed === -1 ? bytes.length : lineFeed;
    this.lineStart = this.at;
    this.lineHasValue = false;
    this.expected = Expected.Value;
    return true;
  }

  private skipBom(): void {
    if (BOM.every((byte, index) => this.bytes[this.at + index] === byte)) this.at += BOM.length;
  }

  /** At the end of a line or of the body. An empty body and a line of nothing but a BOM have no values. */
  private checkEnd(): void {
    const isBlank = this.isLines && this.expected === Expected.Value && this.start === -1;
    if (this.expected !== Expected.End && this.expected !== Expected.BodyOrArray && !isBlank)
      this.fail('it ends too early');
  }

  /** @param at offset of a byte that JSON does not permit there */
  private failAt(at: number): void {
    if (at >= this.end) return this.fail('it ends too early');
    const byte = this.bytes[at] as number;
    const found =
      byte > SPACE && byte < 0x7f
        ? JSON.stringify(String.fromCharCode(byte))
        : `the byte 0x${byte.toString(16).padStart(2, '0')}`;
    this.fail(`${found} is not expected at byte ${at - (this.isLines ? this.lineStart : 0)}`);
  }

  private fail(reason: string): void {
    const message = `Not valid JSON: ${reason}.`;
    if (!this.isLines) {
      this.syntaxError = message;
      return;
    }
    // The line had a value already if another one follows it.
    if (this.lineHasValue) this.values.pop();
    this.open.clear();
    this.start = this.lineStart;
    this.at = this.end;
    let { end } = this;
    while (isBlank(this.bytes[end - 1])) end--;
    this.endValue(end, message);
  }

  private endValue(end: number, syntaxError?: string): void {
    const { start, keys, hasInexactNumber, isTooDeep, deepField, bounds } = this;
    let exceeded: ScannedValue['exceeded'];
    if (end - start > bounds.bytes) exceeded = 'bytes';
    else if (keys > bounds.keys) exceeded = 'keys';
    this.values.push({ start, end, keys, hasInexactNumber, exceeded, isTooDeep, deepField, syntaxError });
    this.start = -1;
    this.keys = 0;
    this.hasInexactNumber = false;
    this.isTooDeep = false;
    this.field = undefined;
    this.deepField = undefined;
    this.lineHasValue = true;
    this.expected = this.isMany && !this.isLines ? Expected.CommaOrEndOfArray : Expected.End;
  }

  /** Scans up to `stop`, or further to the end of a number, a literal or an escape. */
  private scan(stop: number): void {
    const { bytes, open } = this;
    let { at, expected } = this;
    while (at < stop) {
      let byte = bytes[at] as number;
      if (expected === Expected.RestOfString) {
        while (at < stop && IS_TEXT[bytes[at] as number] === 1) at++;
        if (at >= stop) break;
        byte = bytes[at] as number;
        if (byte === BACKSLASH) {
          const next = afterEscape(bytes, at);
          if (next < 0) return this.failAt(~next);
          at = next;
          continue;
        }
        if (byte !== QUOTE) return this.failAt(at);
        at++;
        if (this.isKey) {
          expected = Expected.Colon;
          continue;
        }
      } else {
        if (isBlank(byte)) {
          at++;
          continue;
        }
        switch (expected) {
          case Expected.BodyOrArray:
            this.isMany = byte === OPEN_BRACKET;
            if (this.isMany) at++;
            expected = this.isMany ? Expected.ValueOrBracket : Expected.Value;
            continue;
          case Expected.ValueOrBracket:
            if (byte !== CLOSE_BRACKET) {
              expected = Expected.Value;
              continue;
            }
            at++;
            if (open.length === 0) {
              expected = Expected.End;
              continue;
            }
            open.pop();
            break;
          case Expected.KeyOrBrace:
            if (byte !== CLOSE_BRACE) {
              expected = Expected.Key;
              continue;
            }
            at++;
            open.pop();
            break;
          case Expected.Key:
            if (byte !== QUOTE) return this.failAt(at);
            if (open.length === 1) this.field = at;
            this.isKey = true;
            expected = Expected.RestOfString;
            at++;
            continue;
          case Expected.Colon:
            if (byte !== COLON) return this.failAt(at);
            this.keys++;
            expected = Expected.Value;
            at++;
            continue;
          case Expected.CommaOrClose: {
            const isObject = open.top;
            if (byte === COMMA) {
              expected = isObject ? Expected.Key : Expected.Value;
              at++;
              continue;
            }
            if (byte !== (isObject ? CLOSE_BRACE : CLOSE_BRACKET)) return this.failAt(at);
            at++;
            open.pop();
            break;
          }
          case Expected.CommaOrEndOfArray:
            if (byte !== COMMA && byte !== CLOSE_BRACKET) return this.failAt(at);
            expected = byte === COMMA ? Expected.Value : Expected.End;
            at++;
            continue;
          case Expected.Value: {
            if (this.start === -1) this.start = at;
            if (byte === QUOTE) {
              this.isKey = false;
              expected = Expected.RestOfString;
              at++;
              continue;
            }
            if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
              if (open.length > this.bounds.depth) this.noteDepth();
              open.push(byte === OPEN_BRACE);
              expected = byte === OPEN_BRACE ? Expected.KeyOrBrace : Expected.ValueOrBracket;
              at++;
              continue;
            }
            const next = byte < COLON ? this.scanNumber(at) : afterLiteral(bytes, at);
            if (next < 0) return this.failAt(~next);
            at = next;
            break;
          }
          case Expected.End:
            return this.failAt(at);
        }
      }
      // A value ends here.
      if (open.length > 0) expected = Expected.CommaOrClose;
      else {
        this.endValue(at);
        ({ expected } = this);
        if (this.hasTooMany) break;
      }
    }
    this.at = at;
    this.expected = expected;
  }

  private noteDepth(): void {
    if (this.isTooDeep) return;
    this.isTooDeep = true;
    if (this.open.bottom) this.deepField = this.field;
  }

  /** @returns the offset after a number, or `~` that of the byte that is wrong */
  private scanNumber(start: number): number {
    const { bytes } = this;
    let at = bytes[start] === MINUS ? start + 1 : start;
    // JSON permits no leading zeros.
    const wholeEnd = bytes[at] === ZERO ? at + 1 : afterDigits(bytes, at);
    if (wholeEnd === at) return ~at;
    const mayBeNegativeZero = at > start && bytes[at] === ZERO;
    at = wholeEnd;
    if (bytes[at] === POINT) {
      const fractionEnd = afterDigits(bytes, at + 1);
      if (fractionEnd === at + 1) return ~fractionEnd;
      at = fractionEnd;
    }
    const hasExponent = bytes[at] === SMALL_E || bytes[at] === CAPITAL_E;
    if (hasExponent) {
      const digits = bytes[at + 1] === PLUS || bytes[at + 1] === MINUS ? at + 2 : at + 1;
      at = afterDigits(bytes, digits);
      if (at === digits) return ~at;
    }
    const length = at - start;
    const isCertain = length <= MAX_EXACT_LENGTH && !hasExponent && !mayBeNegativeZero;
    // One finding suffices, and a value that is too large is not parsed anyway.
    if (!isCertain && !this.hasInexactNumber && length <= this.bounds.bytes)
      this.hasInexactNumber = !isExact(bytes.toString('latin1', start, at));
    return at;
  }
}

/** Blank in JSON, and between lines. */
function isBlank(byte: number | undefined): boolean {
  return (
    byte !== undefined &&
    byte <= SPACE &&
    (byte === SPACE || byte === LINE_FEED || byte === CARRIAGE_RETURN || byte === TAB)
  );
}

function afterDigits(bytes: Buffer, at: number): number {
  while (isDigit(bytes[at])) at++;
  return at;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= NINE;
}

/** @returns the offset after an escape, or `~` that of the byte that is wrong */
function afterEscape(bytes: Buffer, backslash: number): number {
  const letter = bytes[backslash + 1];
  if (letter !== SMALL_U)
    return letter !== undefined && ESCAPES.has(letter) ? backslash + 2 : ~(backslash + 1);
  for (let at = backslash + 2; at < backslash + 6; at++) if (!isHexDigit(bytes[at])) return ~at;
  return backslash + 6;
}

function isHexDigit(byte: number | undefined): boolean {
  if (isDigit(byte)) return true;
  const small = (byte ?? 0) | 0x20;
  return small >= 0x61 && small <= 0x66;
}

/** @returns the offset after `true`, `false` or `null`, or `~` that of the byte that is wrong */
function afterLiteral(bytes: Buffer, start: number): number {
  const word = LITERALS.get(bytes[start] ?? 0);
  if (word === undefined) return ~start;
  for (let index = 1; index < word.length; index++)
    if (bytes[start + index] !== word[index]) return ~(start + index);
  return start + word.length;
}
