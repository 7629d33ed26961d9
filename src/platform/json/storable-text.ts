/** A surrogate may be half of a valid pair, so that a match needs a closer look. */
const POSSIBLY_UNSTORABLE = /[\0\uD800-\uDFFF]/;

/** The reason why PostgreSQL cannot store a text, or undefined if it can. */
export function storabilityViolation(text: string): string | undefined {
  if (!POSSIBLY_UNSTORABLE.test(text)) return undefined;
  if (text.includes('\0')) return 'Must not contain the character U+0000: PostgreSQL cannot store it.';
  if (!text.isWellFormed())
    return 'Must not contain half of a surrogate pair: it is not a Unicode character.';
  return undefined;
}

/** Replaces each character that PostgreSQL cannot store by U+FFFD, the replacement character. */
export function toStorable(text: string): string {
  return POSSIBLY_UNSTORABLE.test(text) ? text.replaceAll('\0', '\uFFFD').toWellFormed() : text;
}
