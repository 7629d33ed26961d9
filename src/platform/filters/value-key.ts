import type { Property, Scalar } from './filter.js';
import { type SqlParameters, valueSql } from './filter-sql.js';

/** A text that is the same for the same values: a letter for the type, then the value; empty without a value. */
export function valueKeySql(property: Property, parameters: SqlParameters): string {
  if (property.kind === 'field') return `concat('s', ${property.field})`;
  const { text, number, flag } = valueSql(property, parameters);
  return `coalesce(concat('s', ${text}), concat('n', toString(${number})), concat('b', toString(${flag})), '')`;
}

/** The value of a key of `valueKeySql()`; undefined for the empty one. */
export function valueOfKey(key: string): Exclude<Scalar, null> | undefined {
  const text = key.slice(1);
  if (key.startsWith('s')) return text;
  if (key.startsWith('n')) return Number(text);
  return key === '' ? undefined : text === 'true';
}
