import { RE2JS } from 're2js';

/** Instructions of a pattern's program. At the worst, measured, each costs 0.2 µs a character of text; mostly far less. */
const LARGEST_PROGRAM = 250;

export interface Pattern {
  test(text: string): boolean;
  /** Its source: ajv tells patterns apart by it. */
  toString(): string;
  /** Instructions. */
  readonly size: number;
}

/** Why a pattern cannot be used. */
export class PatternError extends Error {}

/**
 * A pattern on RE2, whose time grows with the text and not faster, whatever the pattern: `(a+)+$` is harmless here.
 * Look-around and back-references, which RE2 does not have, are refused by name.
 * @see https://github.com/google/re2/wiki/Syntax
 * @throws PatternError
 */
export function compilePattern(source: string): Pattern {
  let pattern: RE2JS;
  try {
    pattern = RE2JS.compile(RE2JS.translateRegExp(source));
  } catch (error) {
    const reason = (error as Error).message.replace(/^error parsing regexp: /, '');
    throw new PatternError(`Must be a pattern that RE2 can run: ${reason}.`);
  }
  const size = pattern.programSize();
  if (size > LARGEST_PROGRAM)
    throw new PatternError(
      `Is too large: ${size} instructions of RE2, of which ${LARGEST_PROGRAM} are allowed. Repeat less.`,
    );
  return { test: (text) => pattern.test(text), toString: () => source, size };
}
