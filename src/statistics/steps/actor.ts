import type { Filter, Property, Value } from '../../platform/filters/filter.js';
import type { SqlParameters } from '../../platform/filters/filter-sql.js';
import { valueKeySql, valueOfKey } from '../../platform/filters/value-key.js';

/**
 * A text that is the same for the same values of a property; empty without a value. A field is its own key, because reading
 * it is cheaper.
 */
export const keySql = (property: Property, parameters: SqlParameters): string =>
  property.kind === 'field' ? property.field : valueKeySql(property, parameters);

/** The value of a key of `keySql()`; null for the empty one. */
export const valueOf = (property: Property, key: string): Value | null =>
  property.kind === 'field' ? key : (valueOfKey(key) ?? null);

/**
 * Groups events by who did them. Two independent hashes take a third of the memory of the texts of most sessions; the 128 bits
 * of no two texts are the same.
 */
export function actorSql(by: Property, parameters: SqlParameters): string {
  const key = keySql(by, parameters);
  return `(cityHash64(${key}), xxh3(${key}))`;
}

/** For a condition that may let some more actors pass: half of the memory of `actorSql()`. */
export const roughActorSql = (by: Property, parameters: SqlParameters): string =>
  `cityHash64(${keySql(by, parameters)})`;

/** The condition that somebody did an event; every event has a session. */
export const hasActorSql = (by: Property, parameters: SqlParameters): string =>
  by.kind === 'field' ? '1' : `notEmpty(${valueKeySql(by, parameters)})`;

/** The events of an application. @param application undefined for those of all applications */
export const ofApplication = (filter: Filter, application: string | undefined): Filter =>
  application === undefined
    ? filter
    : {
        kind: 'all',
        filters: [
          { kind: 'in', property: { kind: 'field', field: 'application' }, values: [application] },
          filter,
        ],
      };

/**
 * Lets any number of actors fit into the memory of a question: beyond 40 MB they are aggregated on disk, so a limit of their
 * number is not needed.
 */
export const AGGREGATED_ON_DISK =
  'SETTINGS group_by_two_level_threshold = 50000, group_by_two_level_threshold_bytes = 16000000, max_bytes_before_external_group_by = 40000000, max_rows_to_group_by = 0, max_temporary_data_on_disk_size_for_query = 4000000000';
