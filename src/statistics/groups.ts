/** What events are counted by. */
export const GROUPS = {
  category: ['category'],
  name: ['name'],
  application: ['application'],
  type: ['category', 'name'],
} as const;
export type GroupBy = keyof typeof GROUPS;

/** What the events of a group have in common; of a type, its category and name. */
export interface Group {
  application?: string;
  category?: string;
  name?: string;
}

/** Which events are counted. */
export type CountFilter = Group;

export type Column = keyof Group;
export const COLUMNS: readonly Column[] = ['application', 'category', 'name'];

export const isOf = (way: GroupBy, column: Column): boolean =>
  (GROUPS[way] as readonly Column[]).includes(column);

/** What a statement selects to tell events apart by some of the columns: the others are there too, and null. */
export const selectionOf = (columns: readonly Column[]): string =>
  COLUMNS.map((column) => (columns.includes(column) ? column : `NULL::text AS ${column}`)).join(', ');
