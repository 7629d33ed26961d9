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

/** Adds columns. Each stands in a SELECT of its own, because a name that is used twice would be computed, and analysed, twice. */
const withColumns = (sql: string, columns: readonly string[]): string =>
  columns.reduce((from, column) => `SELECT *, ${column} FROM (${from})`, sql);

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
  const later = query.steps.map((_, index) => index + 1).slice(1);
  return withColumns(eventsSql(query, parameters, hasKeys), [
    ...forward(query, later),
    `1 ${later.map((step) => `+ (arrayMax(begins${step}) > ${LONG_AGO})`).join(' ')} AS level`,
    ...backward(query, later.toReversed()),
    // Each of these needs the one before once, so one SELECT is enough.
    [
      ...later.map(
        (step) =>
          `arrayMin(code -> if(${isStep(step)} AND ${TIME} > t${step - 1}, ${TIME}, ${NEVER}), codes) AS t${step}`,
      ),
      query.groupBy
        ? 'arrayMin((hash, time) -> if(time = t1, hash, 18446744073709551615), hashes, times1) AS hash'
        : 'toUInt64(0) AS hash',
    ].join(', '),
  ]);
}

/** `begins2`, …: at each event of a step, the latest beginning of the ways to it, or LONG_AGO. */
function forward({ window, isStrict }: FunnelQuery, later: readonly number[]): string[] {
  return [
    `arrayMap(code -> if(${isStep(1)}, ${TIME}, ${LONG_AGO}), codes) AS begins1`,
    ...later.map((step) => {
      const before = `begins${step - 1}`;
      const filled = (array: string): string =>
        `arrayFill((_, begin) -> begin > ${LONG_AGO}, ${array}, ${before})`;
      const isInTime = `${isStep(step)} AND ${TIME} - begin <= ${micros(window)}`;
      return isStrict
        ? `arrayMap((code, begin, rank, rank_before) -> if(${isInTime} AND rank = rank_before + 1, begin, ${LONG_AGO}),
            codes, ${filled(before)}, ranks, ${filled('ranks')}) AS begins${step}`
        : `arrayMap((code, begin) -> if(${isInTime}, begin, ${LONG_AGO}), codes, ${filled(before)}) AS begins${step}`;
    }),
  ];
}

/** …, `ends2`: at each event of a step, the earliest end of the ways from it to step `level`, or NEVER. Then `t1`. */
function backward({ window, isStrict }: FunnelQuery, later: readonly number[]): string[] {
  const [last = 0] = later;
  return [
    `arrayMap(code -> if(${isStep(last)} AND level = ${last}, ${TIME}, ${NEVER}), codes) AS ends${last}`,
    ...[...later.slice(1), 1].map((step) => {
      const after = `ends${step + 1}`;
      const filled = (array: string): string =>
        `arrayReverseFill((_, end) -> end < ${NEVER}, ${array}, ${after})`;
      const way = isStrict ? `if(rank + 1 = rank_after, end, ${NEVER})` : 'end';
      const end = `if(level = ${step}, ${TIME}, ${way})`;
      const names = isStrict ? '(code, end, rank, rank_after)' : '(code, end)';
      const arrays = isStrict
        ? `codes, ${filled(after)}, ranks, ${filled('ranks')}`
        : `codes, ${filled(after)}`;
      return step === 1
        ? `arrayMin(${names} -> if(${isStep(1)} AND ${end} - ${TIME} <= ${micros(window)}, ${TIME}, ${NEVER}), ${arrays}) AS t1`
        : `arrayMap(${names} -> if(${isStep(step)}, ${end}, ${NEVER}), ${arrays}) AS ends${step}`;
    }),
  ];
}

/** `codes`: the sorted events of each actor who did the first step. `ranks`, if strict: the number of earlier moments. */
function eventsSql(query: FunnelQuery, parameters: SqlParameters, hasKeys: boolean): string {
  const { scope, steps, isStrict, by, groupBy } = query;
  const conditions = steps.map(({ filter }) => filterSql(filter, parameters));
  const codes = steps.map((_, index) => `arrayMap(time -> ${code('time', index + 1)}, times${index + 1})`);
  if (isStrict) codes.push(`arrayMap(time -> ${code('time', ANY_STEP)}, times)`);
  const columns = [`arraySort(arrayConcat(${codes.join(', ')})) AS codes`];
  if (isStrict)
    columns.push(`arrayCumSum(gap -> gap != 0, arrayDifference(arrayMap(code -> ${TIME}, codes))) AS ranks`);
  return withColumns(
    `SELECT ${actorSql(by, parameters)} AS actor, ${hasKeys ? `any(${keySql(by, parameters)}) AS key,` : ''}
        ${groupBy ? `groupArrayIf(sipHash64(${keySql(groupBy, parameters)}), ${conditions[0]}) AS hashes,` : ''}
        ${isStrict ? 'groupArray(timestamp) AS times,' : ''}
        ${conditions.map((condition, index) => `groupArrayIf(timestamp, ${condition}) AS times${index + 1}`).join(', ')}
      FROM events
      WHERE ${scopeSql(scope, parameters)} AND ${hasActorSql(by, parameters)}
        ${isStrict ? '' : `AND (${conditions.join(' OR ')})`}
      GROUP BY actor
      HAVING notEmpty(times1)`,
    columns,
  );
}

const micros = (seconds: number): string => `${seconds}000000`;
