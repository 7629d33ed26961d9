import { storabilityViolation } from '../json/storable-text.js';
import { FILTER_FIELDS, FilterError, type FilterField, type Property } from './filter.js';

const MAX_LEVELS = 100;

const isField = (name: string): name is FilterField => (FILTER_FIELDS as readonly string[]).includes(name);

/** A name that may be followed by an operator, e.g. `data.price:gte`. */
interface QualifiedName {
  readonly property: Property;
  readonly operator: string | undefined;
}

/**
 * Parses the name of a property, e.g. `category` or `data.form.first_name`. Inside a key, a backslash stands before a dot, a
 * colon or a backslash: the key `a.b` is `data.a\.b`.
 * @throws FilterError
 */
export function parseProperty(text: string): Property {
  const { property, operator } = parseQualifiedName(text);
  if (operator !== undefined) throw new FilterError(`${COLON_IN_KEY} An operator has no place here.`);
  return property;
}

const COLON_IN_KEY = 'A colon inside a key is written `\\:`.';

/** @throws FilterError */
export function parseQualifiedName(text: string): QualifiedName {
  const segments: string[] = [''];
  let operator: string | undefined;
  for (let at = 0; at < text.length; at++) {
    const character = text[at] as string;
    if (character === ':') {
      operator = text.slice(at + 1);
      break;
    }
    if (character === '.') {
      segments.push('');
      continue;
    }
    if (character === '\\') {
      const escaped = text[++at];
      if (escaped === undefined || !'.:\\'.includes(escaped))
        throw new FilterError('A backslash stands only before a dot, a colon or another backslash.');
      segments[segments.length - 1] += escaped;
      continue;
    }
    segments[segments.length - 1] += character;
  }
  if (operator?.includes(':')) throw new FilterError(`More than one operator. ${COLON_IN_KEY}`);
  return { property: toProperty(segments), operator };
}

function toProperty([first = '', ...path]: string[]): Property {
  if (path.length === 0 && isField(first)) return { kind: 'field', field: first };
  if (first !== 'data')
    throw new FilterError(`Must be ${FILTER_FIELDS.join(', ')}, or a path such as data.form.first_name.`);
  if (path.length === 0)
    throw new FilterError('Must name a path inside `data`, such as data.form.first_name.');
  if (path.length > MAX_LEVELS) throw new FilterError(`Must have at most ${MAX_LEVELS} levels.`);
  const violation = path.map(storabilityViolation).find((found) => found !== undefined);
  if (violation !== undefined) throw new FilterError(violation);
  return { kind: 'data', path };
}

/** Formats the name of a property, so that `parseProperty()` parses it. */
export function formatProperty(property: Property): string {
  return property.kind === 'field' ? property.field : formatPath(property.path);
}

/** Formats a path inside `data`. */
export const formatPath = (path: readonly string[]): string =>
  ['data', ...path.map((key) => key.replace(/[\\.:]/g, '\\$&'))].join('.');

/**
 * Splits a list of names at its commas; a comma inside a key is written `\,`.
 * @throws FilterError
 */
export function splitNames(text: string): string[] {
  const names = text.match(/(?:\\[^]|[^\\,])+/g) ?? [];
  if (names.length === 0 || names.join(',') !== text)
    throw new FilterError('Must be the names of properties with commas between them.');
  return names.map((name) => name.replaceAll('\\,', ','));
}
