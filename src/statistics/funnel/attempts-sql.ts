import type { Property } from '../../platform/filters/filter.js';
import { filterSql, type SqlParameters } from '../../platform/filters/filter-sql.js';
import { type EventScope, scopeSql } from '../../questions/event-questions.js';
import { actorSql, hasActorSql, keySql } from '../steps/actor.js';
import type { Step } from '../steps/step.js';

/** What a funnel counts. */
export interface FunnelQuery {
  readonly scope: EventScope;
  /** At most 15: see `code()`. */
  readonly steps: readonly Step[];
  /** Seconds. */
  readonly window: number;
  /** Whether no other event may lie between two steps. */
  readonly isStrict: boolean;
  readonly by: Property;
  readonly groupBy?: Property;
}

/** Stands for no time. All times, and their differences to it, are far from the ends of an Int64. */
const NEVER = '4611686018427387904';
const LONG_AGO = `-${NEVER}`;

/**
 * An event of a step as one number, so that sorting numbers sorts events: by time, and of the events of one moment those of
 * later steps first, because they are not later than those of earlier ones.
 */
const code = (time: string, step: number): string => `${time} * 16 + ${15 - step}`;
const isStep = (step: number): string => `bitAnd(code, 15) = ${15 - step}`;
const TIME = 'bitShiftRight(code, 4)';

/** Every event of a strict funnel, so that it is known which moments lie between two steps. */
const ANY_STEP = 0;

/**
 * SELECTs the attempt of each actor who did the first step:
 *
 * - `key`: the key of its name, if `hasKeys`
 * - `level`: how many steps it reached
 * - `t1`, `t2`, …: microseconds since 1970 of each step that it reached
 * - `hash`: of the group of its first step, if the query has groups
 *
 * An actor's attempt is the earliest one of those that reached most steps, with the first event for each step. Two passes over
 * the sorted events of an actor find it, whatever their number. The first looks for the `level`: it carries the latest
 * beginning from step to step, because who is too late on that is too late on all. The second goes back from the last step to
 * the earliest beginning, with the time of the end.
 */
export function attemptsSql(query: FunnelQuery, parameters: SqlParameters, hasKeys = false): string {
  const count = query.steps.length;
  const steps = Array.from({ length: count }, (_, index) => index + 1);
  const later = steps.slice(1);
  return `SELECT level, ${hasKeys ? 'key, ' : ''}
      ${query.groupBy ? 'arrayMin((hash, time) -> if(time = t1, hash, 18446744073709551615), hashes, times1)' : 'toUInt64(0)'} AS hash,
      ${later.map((step) => `arrayMin(code -> if(${isStep(step)} AND ${TIME} > t${step - 1}, ${TIME}, ${NEVER}), codes) AS t${step}`).join(',\n')},
      ${backward(query, count)}
    FROM (
      SELECT *, 1 ${later.map((step) => `+ (arrayMax(begins${step}) > ${LONG_AGO})`).join(' ')} AS level,
        ${forward(query, later)}
      FROM (${eventsSql(query, parameters, hasKeys)})
    )`;
}

/** `begins2`, …: at each event of a step, the latest beginning of the ways to it, or LONG_AGO. */
function forward({ window, isStrict }: FunnelQuery, later: readonly number[]): string {
  const filled = (array: string, step: number): string =>
    `arrayFill((_, begin) -> begin > ${LONG_AGO}, ${array}, begins${step})`;
  return [
    `arrayMap(code -> if(${isStep(1)}, ${TIME}, ${LONG_AGO}), codes) AS begins1`,
    ...later.map((step) =>
      isStrict
        ? `arrayMap((code, begin, rank, before) -> if(${isStep(step)} AND rank = before + 1 AND ${TIME} - begin <= ${micros(window)}, begin, ${LONG_AGO}),
            codes, ${filled(`begins${step - 1}`, step - 1)}, ranks, ${filled('ranks', step - 1)}) AS begins${step}`
        : `arrayMap((code, begin) -> if(${isStep(step)} AND ${TIME} - begin <= ${micros(window)}, begin, ${LONG_AGO}),
            codes, ${filled(`begins${step - 1}`, step - 1)}) AS begins${step}`,
    ),
  ].join(',\n');
}

/** `ends2`, …: at each event of a step, the earliest end of the ways from it to step `level`, or NEVER. Then `t1`. */
function backward({ window, isStrict }: FunnelQuery, count: number): string {
  const filled = (array: string, step: number): string =>
    step > count
      ? `arrayMap(_ -> ${NEVER}, codes)`
      : `arrayReverseFill((_, end) -> end < ${NEVER}, ${array}, ends${step})`;
  const end = (step: number): string =>
    isStrict
      ? `if(level = ${step}, ${TIME}, if(rank + 1 = after, end, ${NEVER}))`
      : `if(level = ${step}, ${TIME}, end)`;
  const at = (step: number, condition: string, value: string): string =>
    isStrict
      ? `(code, end, rank, after) -> if(${isStep(step)}${condition}, ${value}, ${NEVER}), codes, ${filled(`ends${step + 1}`, step + 1)}, ranks, ${filled('ranks', step + 1)}`
      : `(code, end) -> if(${isStep(step)}${condition}, ${value}, ${NEVER}), codes, ${filled(`ends${step + 1}`, step + 1)}`;
  const ends = Array.from({ length: count - 1 }, (_, index) => count - index).map(
    (step) => `arrayMap(${at(step, '', end(step))}) AS ends${step}`,
  );
  const first = `arrayMin(${at(1, ` AND ${end(1)} - ${TIME} <= ${micros(window)}`, TIME)}) AS t1`;
  return [...ends, first].join(',\n');
}

/** `codes`: the sorted events of each actor who did the first step. `ranks`, if strict: the number of earlier moments. */
function eventsSql(query: FunnelQuery, parameters: SqlParameters, hasKeys: boolean): string {
  const { scope, steps, isStrict, by, groupBy } = query;
  const conditions = steps.map(({ filter }) => filterSql(filter, parameters));
  const codes = steps.map((_, index) => `arrayMap(time -> ${code('time', index + 1)}, times${index + 1})`);
  if (isStrict) codes.push(`arrayMap(time -> ${code('time', ANY_STEP)}, times)`);
  return `SELECT *, arraySort(arrayConcat(${codes.join(', ')})) AS codes
      ${isStrict ? `, arrayCumSum(step -> step != 0, arrayDifference(arrayMap(code -> ${TIME}, codes))) AS ranks` : ''}
    FROM (
      SELECT ${actorSql(by, parameters)} AS actor, ${hasKeys ? `any(${keySql(by, parameters)}) AS key,` : ''}
        ${groupBy ? `groupArrayIf(sipHash64(${keySql(groupBy, parameters)}), ${conditions[0]}) AS hashes,` : ''}
        ${isStrict ? 'groupArray(timestamp) AS times,' : ''}
        ${conditions.map((condition, index) => `groupArrayIf(timestamp, ${condition}) AS times${index + 1}`).join(', ')}
      FROM events
      WHERE ${scopeSql(scope, parameters)} AND ${hasActorSql(by, parameters)}
        ${isStrict ? '' : `AND (${conditions.join(' OR ')})`}
      GROUP BY actor
      HAVING notEmpty(times1)
    )`;
}

const micros = (seconds: number): string => `${seconds}000000`;
