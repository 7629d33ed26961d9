import { RE2JS } from 're2js';
import { countSteps } from './steps.js';

/** Instructions of a compiled pattern. */
const MAX_PATTERN_INSTRUCTIONS = 250;

/** Steps of an instruction for a character of text: it takes 0.2 µs in the worst case measured. */
const STEPS_PER_INSTRUCTION = 1.25;

export interface Pattern {
  test(text: string): boolean;
  /** Its source, by which ajv distinguishes patterns. */
  toString(): string;
  /** Instructions. */
  readonly size: number;
}

/** The pattern cannot be used; the message says why. */
export class PatternError extends Error {}

/**
 * Compiles a pattern with RE2, which matches in time linear in the text, whatever the pattern: `(a+)+$` is harmless.
 * RE2 rejects look-around and back-references.
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
  if (size > MAX_PATTERN_INSTRUCTIONS)
    throw new PatternError(
      `Is too large: ${size} instructions of RE2, of which ${MAX_PATTERN_INSTRUCTIONS} are allowed. Use fewer repetitions.`,
    );
  const test = (text: string): boolean => {
    countSteps(text.length * size * STEPS_PER_INSTRUCTION);
    return pattern.test(text);
  };
  return { test, toString: () => source, size };
}
