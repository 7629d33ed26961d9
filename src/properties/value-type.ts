/** The types of values inside `data`. */
export const VALUE_TYPES = ['text', 'number', 'boolean', 'list'] as const;
export type ValueType = (typeof VALUE_TYPES)[number];

/** The type of a value by its type in a JSON column. */
export function valueTypeOf(columnType: string): ValueType {
  if (/^U?Int\d+$|^Float\d+$/.test(columnType)) return 'number';
  if (columnType === 'Bool') return 'boolean';
  return columnType.startsWith('Array') || columnType.startsWith('Tuple') ? 'list' : 'text';
}
