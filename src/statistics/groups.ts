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
