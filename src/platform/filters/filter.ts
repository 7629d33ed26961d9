/** The fields of an event that a filter can name beside its properties. They are texts. */
export const FILTER_FIELDS = ['application', 'category', 'name', 'session_id'] as const;
export type FilterField = (typeof FILTER_FIELDS)[number];

/** What a condition is about: a field, or a value inside `data` by the keys that lead to it. */
export type Property =
  | { readonly kind: 'field'; readonly field: FilterField }
  | { readonly kind: 'data'; readonly path: readonly string[] };

/** A value that a condition compares with. A text is never equal to a number, and null is not the same as an absent value. */
export type Scalar = Value | null;

/** A value by which events are grouped, counted or distinguished. */
export type Value = string | number | boolean;

export type Comparison = 'gt' | 'gte' | 'lt' | 'lte';

/**
 * A condition on events. Query strings and JSON bodies are both parsed into it, and operators that others express are not in
 * it: `between` is two comparisons, and every negation is a `not`, which matches exactly the events that its filter does not.
 * `P` is what conditions are about, for conditions on something else than events.
 */
export type Filter<P = Property> =
  | { readonly kind: 'all' | 'any'; readonly filters: readonly Filter<P>[] }
  | { readonly kind: 'not'; readonly filter: Filter<P> }
  | { readonly kind: 'in'; readonly property: P; readonly values: readonly Scalar[] }
  | { readonly kind: 'contains' | 'begins'; readonly property: P; readonly text: string }
  /** There is a value at the path or below it. A list is a value, even an empty one; null and an empty object are none. */
  | { readonly kind: 'exists'; readonly property: P }
  | {
      readonly kind: Comparison;
      readonly property: P;
      /** Numbers are compared with numbers only, and texts with texts, by their code points. */
      readonly bound: string | number;
    };

/** Matches every event. */
export const EVERYTHING: Filter = { kind: 'all', filters: [] };

/** The properties that a filter asks about. */
export function propertiesOf(filter: Filter): Property[] {
  if (filter.kind === 'not') return propertiesOf(filter.filter);
  return 'filters' in filter ? filter.filters.flatMap(propertiesOf) : [filter.property];
}

/** The part of a filter is wrong. The message is for the caller. */
export class FilterError extends Error {}
