import { FilterError, type Property } from '../../platform/filters/filter.js';
import { formatProperty, parseProperty } from '../../platform/filters/property-name.js';
import { type SqlParameters, valueSql } from '../../platform/filters/filter-sql.js';
import { valueKeySql } from '../../platform/filters/value-key.js';

/** Shares of the values that lie below a percentile. */
const PERCENTILES = { p50: 0.5, p90: 0.9, p95: 0.95, p99: 0.99 } as const;

/** Measures of the numbers of a property, as aggregate functions of ClickHouse over `x`. */
const OF_NUMBERS = {
  // Corrects the rounding, so that the order in which threads add is not seen.
  sum: 'sumKahan(x)',
  avg: 'sumKahan(x) / nullIf(count(x), 0)',
  min: 'min(x)',
  max: 'max(x)',
  ...(Object.fromEntries(
    // Between the two nearest values, as PERCENTILE_CONT of SQL.
    Object.entries(PERCENTILES).map(([name, share]) => [name, `quantileExactInclusive(${share})(x)`]),
  ) as Record<keyof typeof PERCENTILES, string>),
} as const;
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

/** The column `x` that a measure reads, and the aggregate function over it. */
export interface MeasureSql {
  readonly x: string;
  readonly aggregate: string;
}

/** @param isApproximate whether unique values and percentiles may be estimated, in less time and memory */
export function measureSql(measure: Measure, parameters: SqlParameters, isApproximate: boolean): MeasureSql {
  const unique = isApproximate ? 'uniqCombined64' : 'uniqExact';
  if (measure.kind === 'events') return { x: '0', aggregate: 'toFloat64(count())' };
  if (measure.kind === 'sessions') return { x: 'session_id', aggregate: `toFloat64(${unique}(x))` };
  if (measure.kind === 'unique')
    return {
      x: valueKeySql((measure as { property: Property }).property, parameters),
      aggregate: `toFloat64(${unique}If(x, x != ''))`,
    };
  const { property } = measure as { property: Property };
  const aggregate = OF_NUMBERS[measure.kind];
  return {
    x: valueSql(property, parameters).number,
    aggregate: isApproximate ? aggregate.replace('quantileExactInclusive', 'quantileTDigest') : aggregate,
  };
}
