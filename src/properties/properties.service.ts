import { Injectable } from '@nestjs/common';
import { InvalidParametersError } from '../platform/errors/domain-error.js';
import { formatPath } from '../platform/filters/property-name.js';
import { EventQuestions } from '../questions/event-questions.js';
import { type Found, findByJsonPath, fromJsonPath, toJsonPath } from './json-path.js';
import { valueTypeOf } from './value-type.js';
import { toRange } from '../statistics/range.js';
import type {
  PropertiesDto,
  PropertiesResponse,
  PropertyResponse,
  PropertyTypeResponse,
} from './dto/properties.dto.js';
import { type PathRow, PropertiesRepository } from './properties.repository.js';

const MAX_EXAMPLE_LENGTH = 200;

/** Which properties events have. */
@Injectable()
export class PropertiesService {
  constructor(
    private readonly questions: EventQuestions,
    private readonly properties: PropertiesRepository,
  ) {}

  /** @throws InvalidParametersError, ClickHouseUnavailableError, QuestionTooLargeError, DatabaseUnavailableError */
  async list(dto: PropertiesDto): Promise<PropertiesResponse> {
    const { filter, begins, limit } = dto;
    const { from, to } = toRange(dto, 'UTC');
    if (begins?.kind === 'field')
      throw new InvalidParametersError({ begins: ['Must be the beginning of a path, such as data.fo.'] });
    const as_of = await this.questions.asOf();
    const scope = { from, to, filter };
    const [events, rows] = await Promise.all([
      this.properties.count(scope),
      this.properties.paths(scope, begins === undefined ? '' : toJsonPath(begins.path), limit),
    ]);
    const newest = rows.flatMap(({ types }) => types.map(([, , timestamp, id]) => ({ timestamp, id })));
    const payloads = await this.properties.payloads(newest);
    return {
      from: from.text,
      to: to.text,
      as_of,
      events,
      total: Number(rows[0]?.paths ?? 0),
      properties: rows.map((row) => toProperty(row, payloads)),
    };
  }
}

function toProperty(
  { path, events, types }: PathRow,
  payloads: ReadonlyMap<string, unknown>,
): PropertyResponse {
  let keys: readonly string[] = fromJsonPath(path);
  const byType = new Map<string, PropertyTypeResponse & { newest: bigint }>();
  for (const [columnType, count, timestamp, id] of types) {
    const found = findByJsonPath(payloads.get(`${timestamp}/${id}`), path);
    keys = found?.keys ?? keys;
    const type = valueTypeOf(columnType);
    const known = byType.get(type);
    const isNewer = known === undefined || BigInt(timestamp) > known.newest;
    byType.set(type, {
      type,
      events: (known?.events ?? 0) + Number(count),
      example: isNewer ? exampleOf(found) : known.example,
      newest: isNewer ? BigInt(timestamp) : known.newest,
    });
  }
  return {
    property: formatPath(keys),
    events: Number(events),
    types: [...byType.values()]
      .sort((a, b) => b.events - a.events)
      .map(({ type, events: number, example }) => ({ type, events: number, example })),
  };
}

function exampleOf(found: Found | undefined): unknown {
  const value = found?.value ?? null;
  if (typeof value === 'string') return value.slice(0, MAX_EXAMPLE_LENGTH).toWellFormed();
  return JSON.stringify(value).length > MAX_EXAMPLE_LENGTH ? null : value;
}
