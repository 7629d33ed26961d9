import { endOfString } from './exact-json.js';

/**
 * Indents valid JSON, as `JSON.stringify` does, without parsing it: every number and escape stays as it is.
 * @returns undefined if the result is longer than `maxLength`: deep values grow several hundred times
 */
export function indentJson(json: string, indent: number, maxLength: number): string | undefined {
  if (json.length > maxLength) return undefined;
  const parts: string[] = [];
  let length = 0;
  let depth = 0;
  const add = (text: string): void => {
    parts.push(text);
    length += text.length;
  };
  const newLine = (): void => add(`\n${' '.repeat(indent * depth)}`);
  for (let index = 0; index < json.length;) {
    if (length > maxLength) return undefined;
    const character = json[index] as string;
    const start = index++;
    switch (character) {
      case '"':
        index = endOfString(json, start) + 1;
        add(json.slice(start, index));
        break;
      case '{':
      case '[':
        add(character);
        while (json[index] === ' ') index++;
        if (json[index] === '}' || json[index] === ']') {
          add(json[index++] as string);
        } else {
          depth++;
          newLine();
        }
        break;
      case '}':
      case ']':
        depth--;
        newLine();
        add(character);
        break;
      case ',':
        add(character);
        newLine();
        break;
      case ':':
        add(': ');
        break;
      case ' ':
        break;
      default:
        while (index < json.length && !/[\s,\]}]/.test(json[index] as string)) index++;
        add(json.slice(start, index));
    }
  }
  return length > maxLength ? undefined : parts.join('');
}
