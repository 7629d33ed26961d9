import { FilterError, type Property } from '../../platform/filters/filter.js';
import { formatProperty, parseProperty } from '../../platform/filters/property-name.js';
import { type SqlParameters, valueSql } from '../../platform/filters/filter-sql.js';
import { valueKeySql } from '../../platform/filters/value-key.js';

/** Shares of the values that lie below a percentile. */
const PERCENTILES = { p50: 0.5, p90: 0.9, p95: 0.95, p99: 0.99 } as const;

/** An aggregate function of ClickHouse over `x`. */
interface AggregateFunction {
  readonly name: string;
  /** In parentheses. */
  readonly parameters?: string;
  /** `x` by default. */
  readonly arguments?: string;
}

/** Measures of the numbers of a property. */
const OF_NUMBERS = {
  // Corrects the rounding, so that the order in which threads add is not seen.
  sum: [{ name: 'sumKahan' }],
  avg: [{ name: 'sumKahan' }, { name: 'count' }],
  min: [{ name: 'min' }],
  max: [{ name: 'max' }],
  ...(Object.fromEntries(
    // Between the two nearest values, as PERCENTILE_CONT of SQL.
    Object.entries(PERCENTILES).map(([name, share]) => [
      name,
      [{ name: 'quantileExactInclusive', parameters: `(${share})` }],
    ]),
  ) as Record<keyof typeof PERCENTILES, AggregateFunction[]>),
} as const satisfies Record<string, readonly AggregateFunction[]>;
type NumberMeasure = keyof typeof OF_NUMBERS;

/** What is measured of the events of a bucket. */
export type Measure =
  | { readonly kind: 'events' | 'sessions' }
  | { readonly kind: 'unique' | NumberMeasure; readonly property: Property };

const MEASURE_NAMES = ['events', 'sessions', 'unique', ...(Object.keys(OF_NUMBERS) as NumberMeasure[])];

/**
 * Parses a measure, e.g. `events`, `unique:data.user.id` or `p90:data.width`.
 * @throws FilterError
 */
export function parseMeasure(text: string): Measure {
  const colon = text.indexOf(':');
  const name = colon === -1 ? text : text.slice(0, colon);
  if (name === 'events' || name === 'sessions') {
    if (colon !== -1) throw new FilterError(`\`${name}\` takes no path.`);
    return { kind: name };
  }
  if (name !== 'unique' && !MEASURE_NAMES.includes(name))
    throw new FilterError(
      `Must be events, sessions, or ${MEASURE_NAMES.slice(2).join(', ')} with a path, such as avg:data.price.`,
    );
  if (colon === -1) throw new FilterError(`\`${name}\` needs a path, such as ${name}:data.price.`);
  const property = parseProperty(text.slice(colon + 1));
  if (name !== 'unique' && property.kind === 'field')
    throw new FilterError(`\`${name}\` is of numbers, and ${property.field} is a text.`);
  return { kind: name as 'unique' | NumberMeasure, property };
}

export const formatMeasure = (measure: Measure): string =>
  'property' in measure ? `${measure.kind}:${formatProperty(measure.property)}` : measure.kind;

/** How to measure events in ClickHouse. */
export interface MeasureSql {
  /** The column `x` that is read of each event. */
  readonly x: string;
  /** The measure over `x`. */
  readonly aggregate: string;
  /** The same in two steps: columns that sum up `x`, and the measure over these columns. */
  readonly states: string;
  readonly merged: string;
}

/** @param isApproximate whether unique values and percentiles may be estimated, in less time and memory */
export function measureSql(measure: Measure, parameters: SqlParameters, isApproximate: boolean): MeasureSql {
  const unique = isApproximate ? 'uniqCombined64' : 'uniqExact';
  if (measure.kind === 'events') return sqlOf('0', [{ name: 'count', arguments: '' }], asNumber);
  // A hash takes half the memory of the text, of which uniqExact() keeps 128 bits. Of a million values, two have the same
  // one with a probability of 3e-8.
  if (measure.kind === 'sessions') return sqlOf('sipHash64(session_id)', [{ name: unique }], asNumber);
  const { property } = measure as { property: Property };
  if (measure.kind === 'unique')
    return sqlOf(
      valueKeySql(property, parameters),
      [{ name: `${unique}If`, arguments: `sipHash64(x), x != ''` }],
      asNumber,
    );
  const functions: AggregateFunction[] = OF_NUMBERS[measure.kind].map(
    ({ name, ...others }: AggregateFunction) => ({
      ...others,
      name: isApproximate && name === 'quantileExactInclusive' ? 'quantileTDigest' : name,
    }),
  );
  return sqlOf(valueSql(property, parameters).number, functions, ([of = '', divisor]) =>
    divisor === undefined ? of : `${of} / nullIf(${divisor}, 0)`,
  );
}

const asNumber = ([of]: readonly string[]): string => `toFloat64(${of})`;

/** @param value the measure, of the results of the functions */
function sqlOf(
  x: string,
  functions: readonly AggregateFunction[],
  value: (results: readonly string[]) => string,
): MeasureSql {
  const call = (of: AggregateFunction, combinator: string, given: string): string =>
    `${of.name}${combinator}${of.parameters ?? ''}(${given})`;
  return {
    x,
    aggregate: value(functions.map((of) => call(of, '', of.arguments ?? 'x'))),
    states: functions
      .map((of, index) => `${call(of, 'State', of.arguments ?? 'x')} AS state${index}`)
      .join(', '),
    merged: value(functions.map((of, index) => call(of, 'Merge', `state${index}`))),
  };
}
