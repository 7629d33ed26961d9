const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  "'": "\\'",
  '\0': '\\0',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\f': '\\f',
  '\r': '\\r',
};

/** A string literal of ClickHouse. */
export const quote = (text: string): string =>
  `'${text.replace(/[\\'\0\b\t\n\f\r]/g, (character) => ESCAPES[character] as string)}'`;

/** A quoted identifier of ClickHouse. */
export const quoteName = (name: string): string =>
  `\`${name.replace(/[\\`]/g, (character) => `\\${character}`)}\``;

/** Quoted texts, comments, and everything else that is one token here. */
const TOKEN =
  /'(?:[^'\\]|\\[^]|'')*'|"(?:[^"\\]|\\[^]|"")*"|`(?:[^`\\]|\\[^]|``)*`|\$(\w*)\$[^]*?\$\1\$|--[^\n]*|#[! ][^\n]*|\/\*[^]*?\*\/|\w+|\s+|[^]/g;

/** The words and symbols of a statement, without comments and white space. Quoted texts keep their quotes. */
export function tokensOf(sql: string): string[] {
  return [...sql.matchAll(TOKEN)]
    .map(([token]) => token)
    .filter((token) => !/^(?:\s|--|#[! ]|\/\*)/.test(token) || token === '/');
}
