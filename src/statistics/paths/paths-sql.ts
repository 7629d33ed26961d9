import type { Filter, Property } from '../../platform/filters/filter.js';
import { filterSql, type SqlParameters } from '../../platform/filters/filter-sql.js';
import { type EventScope, scopeSql } from '../../questions/event-questions.js';
import { actorSql, hasActorSql, keySql, roughActorSql } from '../steps/actor.js';

export interface PathsQuery {
  readonly scope: EventScope;
  /** The event where paths begin, or end. */
  readonly step: Filter;
  readonly direction: 'after' | 'before';
  /** How many events a path has beside the step. */
  readonly depth: number;
  /** The property whose values are followed; types of events without one. */
  readonly property?: Property;
  readonly by: Property;
}

/** A text that is the same for the same places on a path; no text of an event has the character between category and name. */
export const placeSql = ({ property }: PathsQuery, parameters: SqlParameters): string =>
  property ? keySql(property, parameters) : String.raw`concat(category, '\0', name)`;

/** A place as a number, which takes less memory than its text. */
export const placeHashSql = (query: PathsQuery, parameters: SqlParameters): string =>
  `sipHash64(${placeSql(query, parameters)})`;

/** The condition that an event is a place on a path. */
export const isPlaceSql = ({ property }: PathsQuery, parameters: SqlParameters): string =>
  property ? hasActorSql(property, parameters) : '1';

/** The order of ids among events of one timestamp, whose ids begin with the same 48 bits. */
const ORDER_OF_IDS = "CAST(bitShiftRight(toUInt128(id), 16), 'UInt64')";

/**
 * SELECTs `places` of each actor with the step: the hashes of the events next to its first one, nearest first, as many as there
 * are up to `depth`. Events are in the order of their timestamps and ids, as in the list of a session.
 */
export function pathsSql(query: PathsQuery, parameters: SqlParameters): string {
  const { scope, direction, depth, by } = query;
  const step = filterSql(query.step, parameters);
  const isPlace = isPlaceSql(query, parameters);
  const where = scopeSql(scope, parameters);
  const rough = roughActorSql(by, parameters);
  const hasActor = hasActorSql(by, parameters);
  const [compare, sort] =
    direction === 'after' ? ['>', 'arrayPartialSort'] : ['<', 'arrayPartialReverseSort'];
  return `SELECT arrayMap(event -> event.3, arraySlice(${sort}(event -> (event.1, event.2), ${depth},
        arrayFilter(event -> (event.1, event.2) ${compare} first, arrayZip(times, ids, hashes))), 1, ${depth})) AS places
    FROM (
      SELECT minIf((timestamp, order_of_id), is_step) AS first, countIf(is_step) AS steps,
        groupArrayIf(timestamp, is_place) AS times, groupArrayIf(order_of_id, is_place) AS ids, groupArrayIf(hash, is_place) AS hashes
      FROM (
        SELECT ${actorSql(by, parameters)} AS actor, timestamp, ${ORDER_OF_IDS} AS order_of_id, ${placeHashSql(query, parameters)} AS hash,
          ${step} AS is_step, ${isPlace} AS is_place
        FROM events
        WHERE ${where} AND ${hasActor} AND (is_step OR is_place)
          AND ${rough} IN (SELECT ${rough} FROM events WHERE ${where} AND ${hasActor} AND ${step})
      )
      GROUP BY actor
      HAVING steps > 0
    )`;
}
