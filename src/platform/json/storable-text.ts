const SUSPECT = /[\0\uD800-\uDFFF]/;

/** Why a text cannot be kept, or undefined where it can. */
export function whyNotStorable(text: string): string | undefined {
  if (!SUSPECT.test(text)) return undefined;
  if (text.includes('\0')) return 'Must not contain the character U+0000: PostgreSQL cannot store it.';
  if (!text.isWellFormed())
    return 'Must not contain half of a surrogate pair: it is not a Unicode character.';
  return undefined;
}

/** The text with U+FFFD, the replacement character, in place of what PostgreSQL cannot store. */
export function storable(text: string): string {
  return SUSPECT.test(text) ? text.replaceAll('\0', '\uFFFD').toWellFormed() : text;
}
