import fc from 'fast-check';
import { anyCharacter } from './any-character.spec-support.js';

const blank = fc.stringMatching(/^[ \t\n\r]{0,2}$/);
/** A number. */
export const literal = fc.stringMatching(/^-?(0|[1-9]\d{0,19})(\.\d{1,19})?([eE][+-]?\d{1,3})?$/);

const escaped = (text: string): string =>
  Array.from(
    { length: text.length },
    (_, at) => `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`,
  ).join('');

/** A JSON string: as JSON.stringify writes it, or with every code unit escaped. */
const stringText = fc
  .tuple(fc.string({ unit: anyCharacter, maxLength: 8 }), fc.boolean())
  .map(([text, isEscaped]) => (isEscaped ? `"${escaped(text)}"` : JSON.stringify(text)));

/** JSON texts of every kind, with whitespace, escapes and duplicate keys. */
export const { value: jsonText } = fc.letrec<{ value: string }>((tie) => ({
  value: fc
    .tuple(
      blank,
      fc.oneof(
        { maxDepth: 6 },
        fc.constantFrom('null', 'true', 'false', '[]', '{}', '-0', '"\\\\"', '"\\""'),
        literal,
        stringText,
        fc.array(tie('value'), { maxLength: 4 }).map((items) => `[${items.join(',')}]`),
        fc
          .array(fc.tuple(blank, fc.oneof(fc.constant('"a"'), stringText), tie('value')), { maxLength: 4 })
          .map(
            (fields) =>
              `{${fields.map(([space, key, value]) => `${space}${key}${space}:${value}`).join(',')}}`,
          ),
      ),
      blank,
    )
    .map((parts) => parts.join('')),
}));
