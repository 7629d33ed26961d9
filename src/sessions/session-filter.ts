import { type Filter, FilterError } from '../platform/filters/filter.js';
import {
  conditionSql,
  fieldSource,
  numberSource,
  type SqlParameters,
} from '../platform/filters/filter-sql.js';
import { operatorNamed, toCondition } from '../platform/filters/operators.js';
import { MAX_CONDITIONS, parseOperand, type ParameterErrors } from '../platform/filters/query-filter.js';
import { KEY_BYTES } from '../replication/session-projection.js';

/** Application, category or name (1 to 3) of the first or last event, as the projection has it. */
export const partOf = (event: 'entry' | 'exit', part: number): string =>
  String.raw`splitByChar('\0', substring(${event}, ${KEY_BYTES + 1}))[${part}]`;

/**
 * What a condition on whole sessions can be about, as SQL on SESSION_AGGREGATES. Beside these, conditions on events select
 * the sessions with at least one event that meets them all.
 */
const SESSION_PROPERTIES = {
  duration: { type: 'number', sql: 'toFloat64(last - first) / 1000000' },
  events: { type: 'number', sql: 'toFloat64(events)' },
  'entry.category': { type: 'text', sql: partOf('entry', 2) },
  'entry.name': { type: 'text', sql: partOf('entry', 3) },
  'exit.category': { type: 'text', sql: partOf('exit', 2) },
  'exit.name': { type: 'text', sql: partOf('exit', 3) },
} as const;
export type SessionProperty = keyof typeof SESSION_PROPERTIES;

/** A condition on whole sessions. */
export type SessionFilter = Filter<SessionProperty>;

export const EVERY_SESSION: SessionFilter = { kind: 'all', filters: [] };

const propertyOf = (parameter: string): string => parameter.split(':', 1)[0] ?? '';

/** Whether a parameter is a condition on whole sessions, such as `duration:gte`. */
export const isSessionCondition = (parameter: string): boolean =>
  Object.hasOwn(SESSION_PROPERTIES, propertyOf(parameter));

/**
 * Parses conditions on whole sessions, in the language of the conditions on events; all must be met.
 * @param parameters those for which `isSessionCondition()` is true
 */
export function parseSessionFilter(
  parameters: Readonly<Record<string, unknown>>,
  errors: ParameterErrors,
): SessionFilter {
  const filters: SessionFilter[] = [];
  for (const [index, [name, value]] of Object.entries(parameters).entries()) {
    try {
      if (index === MAX_CONDITIONS) throw new FilterError(`More than ${MAX_CONDITIONS} conditions.`);
      if (typeof value !== 'string') throw new FilterError('Must be given once.');
      filters.push(parseSessionCondition(name, value));
    } catch (error) {
      if (!(error instanceof FilterError)) throw error;
      errors.add(name, error.message);
      if (index === MAX_CONDITIONS) break;
    }
  }
  return { kind: 'all', filters };
}

/** @throws FilterError */
function parseSessionCondition(parameter: string, value: string): SessionFilter {
  const property = propertyOf(parameter) as SessionProperty;
  const isText = SESSION_PROPERTIES[property].type === 'text';
  const operator = operatorNamed(parameter.slice(property.length + 1) || 'eq');
  if (operator.operand === 'flag')
    throw new FilterError('Every session has this; `exists` is for paths inside `data`.');
  if (!isText && operator.operand === 'text') throw new FilterError('This operator is for texts.');
  const values = parseOperand(operator, value, isText);
  if (!isText && !values.every((one) => typeof one === 'number')) throw new FilterError('Must be a number.');
  return toCondition(property, operator, values);
}

/** The condition on SESSION_AGGREGATES. */
export const sessionFilterSql = (filter: SessionFilter, parameters: SqlParameters): string =>
  conditionSql(filter, parameters, (property) => {
    const { type, sql } = SESSION_PROPERTIES[property];
    return type === 'number' ? numberSource(sql) : fieldSource(sql);
  });
