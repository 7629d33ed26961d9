import { type Comparison, type Filter, type Property, type Scalar } from './filter.js';

const COMPARISONS: Readonly<Record<Comparison, string>> = { gt: '>', gte: '>=', lt: '<', lte: '<=' };

/** Types in the JSON column that hold numbers. */
const NUMBERS = ['Int64', 'UInt64', 'Float64'] as const;

/**
 * Keys that stand in a statement as they are. The JSON column escapes dots in keys as `%2E` but leaves `%` alone, and does
 * not distinguish an empty key from none at every place; other keys are read from the text, as parameters.
 */
const PLAIN_KEY = /^[A-Za-z0-9_$ -]+$/;

/** Strings, numbers, and what is between them. */
const JSON_TOKENS = String.raw`"(?:[^"\\]|\\.)*"|-?[0-9.]+(?:[eE][+-]?[0-9]+)?|[^"0-9-]+`;

const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\')}'`;

/**
 * The payload as JSON, with the nulls and the empty objects that the column `data` does not have. ClickHouse parses no payload
 * with an integer beyond 64 bits, and PostgreSQL formats 1e300 as one, so long integers become doubles by an exponent of 0.
 */
const JSON_TEXT =
  `if(match(data_text, '[0-9]{19}'), arrayStringConcat(arrayMap(token -> if(match(token, '^-?[0-9]{19,}$'), ` +
  `concat(token, 'e0'), token), extractAll(data_text, ${quoted(JSON_TOKENS)}))), data_text)`;

/** The values of a statement, which the server binds. */
export class SqlParameters {
  readonly values: Record<string, unknown> = {};
  private count = 0;

  /** @returns a placeholder for a value */
  add(value: unknown, type: string): string {
    const name = `p${this.count++}`;
    this.values[name] = value;
    return `{${name}:${type}}`;
  }

  text(value: string): string {
    return this.add(value, 'String');
  }

  /** A double by its bits, because ClickHouse reads decimals fast rather than exactly. */
  number(value: number): string {
    return `reinterpretAsFloat64(${this.add(bitsOf(value), 'UInt64')})`;
  }
}

function bitsOf(value: number): string {
  const buffer = Buffer.alloc(8);
  buffer.writeDoubleBE(value);
  return buffer.readBigUInt64BE().toString();
}

/**
 * Compiles a filter to a condition on the table of events that is 0 or 1, never NULL. Values are parameters; of what a caller
 * sends, only keys of letters, digits, `_`, `$`, `-` and blanks are in the statement itself.
 */
export function filterSql(filter: Filter, parameters: SqlParameters): string {
  return conditionSql(filter, parameters, (property) => source(property, parameters));
}

/** Like `filterSql()`, for conditions on something else than events. @param sourceOf how to ask for what a condition is about */
export function conditionSql<P>(
  filter: Filter<P>,
  parameters: SqlParameters,
  sourceOf: (property: P) => Source,
): string {
  switch (filter.kind) {
    case 'all':
    case 'any':
      return group(
        filter.kind,
        filter.filters.map((one) => conditionSql(one, parameters, sourceOf)),
      );
    case 'not':
      return `NOT ${conditionSql(filter.filter, parameters, sourceOf)}`;
    case 'exists':
      return sourceOf(filter.property).exists();
    case 'in':
      return inSql(sourceOf(filter.property), filter.values, parameters);
    case 'contains':
      return sourceOf(filter.property).text((text) =>
        filter.text === '' ? `isNotNull(${text})` : `position(${text}, ${parameters.text(filter.text)}) > 0`,
      );
    case 'begins':
      return sourceOf(filter.property).text((text) => `startsWith(${text}, ${parameters.text(filter.text)})`);
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
      return comparisonSql(sourceOf(filter.property), filter.kind, filter.bound, parameters);
  }
}

function group(kind: 'all' | 'any', conditions: readonly string[]): string {
  if (conditions.length === 0) return kind === 'all' ? '1' : '0';
  return `(${conditions.join(kind === 'all' ? ' AND ' : ' OR ')})`;
}

function inSql(property: Source, values: readonly Scalar[], parameters: SqlParameters): string {
  const conditions: string[] = [];
  const texts = values.filter((value) => typeof value === 'string');
  const numbers = values.filter((value) => typeof value === 'number');
  if (texts.length > 0)
    conditions.push(
      property.text((text) =>
        equalsOneOf(
          text,
          texts.map((value) => parameters.text(value)),
        ),
      ),
    );
  if (numbers.length > 0)
    conditions.push(
      property.number((number) =>
        equalsOneOf(
          number,
          numbers.map((value) => parameters.number(value)),
        ),
      ),
    );
  for (const flag of [true, false]) if (values.includes(flag)) conditions.push(property.flag(flag));
  if (values.includes(null)) conditions.push(property.isNull());
  return `(${conditions.join(' OR ')})`;
}

/** Not by IN, which takes only constants that it can convert to the type of the column. */
function equalsOneOf(expression: string, placeholders: readonly string[]): string {
  return `(${placeholders.map((placeholder) => `${expression} = ${placeholder}`).join(' OR ')})`;
}

function comparisonSql(
  property: Source,
  kind: Comparison,
  bound: string | number,
  parameters: SqlParameters,
): string {
  const operator = COMPARISONS[kind];
  if (typeof bound === 'string') {
    const placeholder = parameters.text(bound);
    return property.text((text) => `${text} ${operator} ${placeholder}`);
  }
  const placeholder = parameters.number(bound);
  return property.number((number) => `${number} ${operator} ${placeholder}`);
}

/**
 * The value of a property as expressions, each NULL for values of other types. Integers become doubles, which the numbers of
 * events are.
 */
export function valueSql(
  property: Property,
  parameters: SqlParameters,
): { text: string; number: string; flag: string } {
  return source(property, parameters).values();
}

/** How to ask for the value of a property. Every condition is 0 or 1, and 0 for a value of another type. */
export interface Source {
  text(condition: (text: string) => string): string;
  number(condition: (number: string) => string): string;
  flag(value: boolean): string;
  isNull(): string;
  exists(): string;
  values(): { text: string; number: string; flag: string };
}

function source(property: Property, parameters: SqlParameters): Source {
  if (property.kind === 'field') return fieldSource(property.field);
  return isPlainPath(property.path)
    ? columnSource(property.path, parameters)
    : textSource(property.path, parameters);
}

/** A text that always has a value. */
export function fieldSource(column: string): Source {
  return {
    text: (condition) => `(${condition(column)})`,
    number: () => '0',
    flag: () => '0',
    isNull: () => '0',
    exists: () => '1',
    values: () => ({
      text: `CAST(${column}, 'Nullable(String)')`,
      number: `CAST(NULL, 'Nullable(Float64)')`,
      flag: `CAST(NULL, 'Nullable(Bool)')`,
    }),
  };
}

/** A number that always has a value. @param expression of type Float64 */
export function numberSource(expression: string): Source {
  return {
    text: () => '0',
    number: (condition) => `(${condition(expression)})`,
    flag: () => '0',
    isNull: () => '0',
    exists: () => '1',
    values: () => ({
      text: `CAST(NULL, 'Nullable(String)')`,
      number: `CAST(${expression}, 'Nullable(Float64)')`,
      flag: `CAST(NULL, 'Nullable(Bool)')`,
    }),
  };
}

/** Reads the typed columns that ClickHouse keeps of a path. */
function columnSource(path: readonly string[], parameters: SqlParameters): Source {
  const column = columnOf(path);
  const typed = (type: string, condition: (value: string) => string): string =>
    `ifNull(${condition(`${column}.:\`${type}\``)}, 0)`;
  const text = textSource(path, parameters);
  // A payload without the last key in quotes has no such path, and finding that out is cheap.
  const hasKey = (): string => `position(data_text, ${parameters.text(`"${path.at(-1) ?? ''}"`)}) > 0`;
  return {
    text: (condition) => typed('String', condition),
    number: (condition) => `(${NUMBERS.map((type) => typed(type, condition)).join(' OR ')})`,
    flag: (value) => typed('Bool', (flag) => `${flag} = ${value}`),
    isNull: () => `(isNull(${column}) AND ${hasKey()} AND ${text.isNull()})`,
    exists: () => `(isNotNull(${column}) OR notEmpty(JSONAllPaths(${subcolumnsOf(path)})))`,
    values: () => ({
      text: `${column}.:\`String\``,
      number: `coalesce(${column}.:\`Float64\`, toFloat64(${column}.:\`Int64\`), toFloat64(${column}.:\`UInt64\`))`,
      flag: `${column}.:\`Bool\``,
    }),
  };
}

/** The column of a path of plain keys, of type Dynamic. */
export const columnOf = (path: readonly string[]): string =>
  ['data', ...path.map((key) => `\`${key}\``)].join('.');

/** Whether a path can be a column of a statement. */
export const isPlainPath = (path: readonly string[]): boolean => path.every((key) => PLAIN_KEY.test(key));

/** What lies below a path of plain keys, of type JSON. */
const subcolumnsOf = (path: readonly string[]): string =>
  `data.^${path.map((key) => `\`${key}\``).join('.')}`;

/** Parses the text of the payload. */
function textSource(path: readonly string[], parameters: SqlParameters): Source {
  const place = [JSON_TEXT, ...path.map((key) => parameters.text(key))].join(', ');
  const type = `JSONType(${place})`;
  return {
    text: (condition) => `(${type} = 'String' AND ${condition(`JSONExtractString(${place})`)})`,
    number: (condition) =>
      `(${type} IN ('Int64', 'UInt64', 'Double') AND ${condition(`JSONExtractFloat(${place})`)})`,
    flag: (value) => `(${type} = 'Bool' AND JSONExtractBool(${place}) = ${value})`,
    isNull: () => `(${type} = 'Null' AND JSONHas(${place}))`,
    // An object that cannot be cast has values: it has two of the same path.
    exists: () =>
      `(JSONHas(${place}) AND ${type} != 'Null' AND (${type} != 'Object' OR ` +
      `ifNull(notEmpty(JSONAllPaths(accurateCastOrNull(JSONExtractRaw(${place}), 'JSON'))), 1)))`,
    values: () => ({
      text: `if(${type} = 'String', JSONExtractString(${place}), NULL)`,
      number: `if(${type} IN ('Int64', 'UInt64', 'Double'), JSONExtractFloat(${place}), NULL)`,
      flag: `if(${type} = 'Bool', CAST(JSONExtractBool(${place}), 'Bool'), NULL)`,
    }),
  };
}
