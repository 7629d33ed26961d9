import { isPermittedFunction } from './functions.js';
import { KEYWORDS } from './keywords.js';
import { notPermitted } from './not-permitted.js';
import { isPermittedType } from './types.js';

/** What a statement consists of after ClickHouse's formatter. Comments, heredocs and control characters are gone. */
const TOKEN = new RegExp(
  [
    String.raw`(?<blank> )`,
    String.raw`(?<text>'(?:[^'\\\p{Cc}]|\\.)*')`,
    String.raw`(?<quoted>\x60(?:[^\x60\\]|\\.)*\x60)`,
    String.raw`(?<placeholder>\{(?<name>\w+):(?<type>[\w(), ]+)\})`,
    String.raw`(?<word>[A-Za-z_]\w*)`,
    String.raw`(?<number>\d[\w.]*(?:(?<=[eE])[+-]\d+)?)`,
    String.raw`(?<symbol>->|::|\|\||<=>|[<>!=]=|<>|[()[\],.*+\-/%=<>?:^{}])`,
  ].join('|'),
  'suy',
);

/** A name in quotes. Without control and format characters, which could look like something else in a syntax tree. */
const QUOTED_NAME = /^[^\\`"\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+$/u;

/** A capital that stands alone is the name of a column or of a table: no keyword has one letter, but for units of time. */
const CAPITALS = /^[A-Z][A-Z0-9_]+$/;

const STARTS = new Set(['SELECT', 'WITH', '(']);

/** A placeholder such as `{from:DateTime}`. */
export interface Placeholder {
  readonly name: string;
  readonly type: string;
}

/**
 * Checks the words of a statement that ClickHouse has formatted.
 * @returns its placeholders
 * @throws NotPermittedError
 */
export function checkCanonicalText(sql: string): Placeholder[] {
  const placeholders: Placeholder[] = [];
  let isFirst = true;
  for (let at = 0; at < sql.length; at = TOKEN.lastIndex) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(sql);
    if (!match) throw notPermitted(`\`${[...sql.slice(at)][0] ?? ''}\` outside of a text`);
    const [token] = match;
    const { quoted, word, name, type } = match.groups ?? {};
    if (isFirst && !STARTS.has(token))
      throw notPermitted(`\`${token}\``, 'a query begins with SELECT or WITH');
    isFirst = false;
    if (quoted !== undefined && !QUOTED_NAME.test(quoted.slice(1, -1)))
      throw notPermitted(`The name ${quoted}`, 'names have no control characters, quotes and backslashes');
    if (word !== undefined) checkWord(word, sql[TOKEN.lastIndex] === '(');
    if (name !== undefined && type !== undefined) placeholders.push({ name, type });
  }
  for (const { name, type } of placeholders)
    if (!isPermittedType(type)) throw notPermitted(`The type of {${name}:${type}}`);
  return placeholders;
}

function checkWord(word: string, isCalled: boolean): void {
  if (!CAPITALS.test(word) || KEYWORDS.has(word) || (isCalled && isPermittedFunction(word))) return;
  throw notPermitted(
    `\`${word}\``,
    'it is a keyword, or a name that looks like one; write names in small letters',
  );
}
