import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { APPLICATION_NAME } from '../../auth/application-name.js';
import { IfGiven, Valid } from '../../platform/http/valid.decorator.js';
import { isJsonObject } from '../../platform/json/json-object.js';
import { ANSWER_FORMATS, type AnswerFormat } from '../answer-formats.js';

/** Characters of a statement. */
export const MAX_SQL_LENGTH = 20_000;

const MAX_PARAMETERS = 100;

/** Names of placeholders. Those of The Eye begin with an underscore. */
const PARAMETER_NAME = /^[A-Za-z]\w{0,62}$/;

export const EXAMPLE_SQL = [
  'SELECT data.path AS path, count() AS views, uniq(session_id) AS sessions',
  'FROM events',
  "WHERE category = {category:String} AND name = 'pageview' AND timestamp >= now() - INTERVAL 7 DAY",
  'GROUP BY path',
  'ORDER BY views DESC',
  'LIMIT 10',
].join('\n');

/** A value of a placeholder. */
export type ParameterValue = string | number | boolean | null | readonly ParameterValue[];

export class QueryDto {
  @ApiProperty({
    example: EXAMPLE_SQL,
    maxLength: MAX_SQL_LENGTH,
    description:
      'One SELECT in ClickHouse\'s SQL, over `events` and what its WITH defines. See "SQL" in the documentation.',
  })
  @Valid(sqlViolation)
  sql: string;

  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    example: { category: 'page interaction' },
    description:
      'Values of placeholders such as `{category:String}`: texts, numbers, booleans, null, and lists of them. They are bound, never pasted.',
  })
  @IfGiven
  @Valid(parametersViolation)
  parameters?: Record<string, ParameterValue>;

  @ApiPropertyOptional({ example: 'default', description: 'Only events of this application.' })
  @IfGiven
  @Valid(applicationViolation)
  application?: string;

  @ApiPropertyOptional({
    enum: ANSWER_FORMATS,
    default: 'json',
    example: 'json',
    description: 'The format of the answer.',
  })
  @Valid(formatViolation)
  format: AnswerFormat = 'json';
}

export class ColumnResponse {
  @ApiProperty({ example: 'path' })
  name: string;

  @ApiProperty({ example: 'String', description: 'A type of ClickHouse.' })
  type: string;
}

export class QueryResponse {
  @ApiProperty({ type: [ColumnResponse] })
  columns: ColumnResponse[];

  @ApiProperty({
    type: 'array',
    items: { type: 'array', items: {} },
    example: [['/', 120, 80]],
    description:
      'Values in the order of the columns. Integers have all their digits; `nan`, `inf` and `-inf` are texts in columns of floats, and decimals are texts.',
  })
  rows: unknown[][];

  @ApiProperty({ example: false, description: 'Whether there are more rows than the 10,000 that are shown.' })
  truncated: boolean;

  @ApiProperty({
    format: 'date-time',
    example: '2026-11-29T10:00:00.000000Z',
    description: 'Every event that was stored until then is in the answer.',
  })
  as_of: string;

  @ApiProperty({
    type: 'integer',
    nullable: true,
    example: 100_000,
    description:
      'Events that ClickHouse read; null for a key of one application, because those of others are among them.',
  })
  rows_read: number | null;

  @ApiProperty({ type: 'integer', example: 12, description: 'Milliseconds that ClickHouse worked.' })
  elapsed_ms: number;
}

function sqlViolation(sql: unknown): string | undefined {
  if (typeof sql !== 'string' || sql.trim() === '') return 'Must be a SELECT in SQL.';
  if (sql.length > MAX_SQL_LENGTH)
    return `Must have at most ${MAX_SQL_LENGTH.toLocaleString('en')} characters.`;
  if (!sql.isWellFormed()) return 'Must be well-formed Unicode.';
  return undefined;
}

function applicationViolation(application: unknown): string | undefined {
  return typeof application === 'string' && APPLICATION_NAME.test(application)
    ? undefined
    : 'Must be the name of an application.';
}

function formatViolation(format: unknown): string | undefined {
  return (ANSWER_FORMATS as readonly unknown[]).includes(format) ? undefined : 'Must be json, csv or ndjson.';
}

function parametersViolation(parameters: unknown): string | undefined {
  if (!isJsonObject(parameters)) return 'Must be an object.';
  const entries = Object.entries(parameters);
  if (entries.length > MAX_PARAMETERS) return `Must have at most ${MAX_PARAMETERS} values.`;
  const wrongName = entries.find(([name]) => !PARAMETER_NAME.test(name))?.[0];
  if (wrongName !== undefined)
    return `The name ${JSON.stringify(wrongName)} must consist of letters, digits and _, and begin with a letter.`;
  const wrongValue = entries.find(([, value]) => !isParameterValue(value))?.[0];
  return wrongValue === undefined
    ? undefined
    : `${wrongValue} must be a text, a number, a boolean, null, or a list of them.`;
}

function isParameterValue(value: unknown): boolean {
  if (Array.isArray(value)) return value.every(isParameterValue);
  if (typeof value === 'string') return value.isWellFormed();
  return value === null || typeof value === 'number' || typeof value === 'boolean';
}
