import { Injectable, type PipeTransform } from '@nestjs/common';
import { validateSync } from 'class-validator';
import { environment } from '../config/environment.js';
import { JsonBody, NdjsonBody } from '../http/bodies.js';
import { type FieldErrors, Problem } from '../http/problem.js';
import { CreateEventDto, Flaw } from './dto/create-event.dto.js';
import { findInexactness, type Inexactness } from './event/exact-json.js';
import { type NewEvent, toNewEvent } from './event/new-event.js';

/** An event of a request that was refused, by its place in the request, from 0. */
export interface RefusedEvent {
  index: number;
  errors: FieldErrors;
}

/** What a request brought: one event on its own, or many, of which some may be refused. */
export interface Submission {
  readonly many: boolean;
  readonly events: NewEvent[];
  readonly refused: RefusedEvent[];
}

/**
 * Bytes of session_id, category and name together. A row of a B-tree index holds 2,704 bytes, of which the timestamp,
 * the digest and the headers take some; only texts full of four-byte characters come near.
 */
const TEXTS_BYTES = 2400;

/** Reads, checks and identifies the events of a request. One that is bad is named and spoils none of the others. */
@Injectable()
export class EventsPipe implements PipeTransform<unknown, Promise<Submission>> {
  /** @throws Problem 400 where nothing can be accepted, 413 past a limit of the whole request */
  async transform(body: unknown): Promise<Submission> {
    if (body instanceof NdjsonBody) return readNdjson(body);
    if (body instanceof JsonBody) return readJson(body.text);
    throw new Problem(400, 'empty_body', 'The body is empty: send an event, an array of events, or NDJSON.');
  }
}

function readJson(text: string): Submission {
  if (text.trim() === '')
    throw new Problem(400, 'empty_body', 'The body is empty: send an event or an array of events.');
  const value = parse(text);
  const many = Array.isArray(value);
  const collected = new Collected(many);
  const found = findInexactness(text, environment.DEPTH_LIMIT, many);
  for (const [index, item] of (many ? (value as unknown[]) : [value]).entries())
    collected.take(item, found.get(index));
  return collected.submission();
}

async function readNdjson({ lines }: NdjsonBody): Promise<Submission> {
  const collected = new Collected(true);
  for await (const line of lines) {
    try {
      collected.take(parse(line), findInexactness(line, environment.DEPTH_LIMIT, false).get(0));
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'malformed_json') throw error;
      collected.refuse({ event: [error.detail] });
    }
  }
  return collected.submission();
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Problem(400, 'malformed_json', `Not valid JSON: ${(error as Error).message}.`);
  }
}

/** The events of one request, as they are read. */
class Collected {
  private readonly events: NewEvent[] = [];
  private readonly refused: RefusedEvent[] = [];
  private size = 0;

  constructor(private readonly many: boolean) {}

  take(value: unknown, inexactness: Inexactness | undefined): void {
    const result = inexactness
      ? { [inexactness.path.join('.') || 'event']: [inexactness.reason] }
      : read(value);
    if (isRefusal(result)) return this.refuse(result);
    this.grow();
    this.events.push(result);
  }

  refuse(errors: FieldErrors): void {
    this.refused.push({ index: this.size, errors });
    this.grow();
  }

  submission(): Submission {
    if (this.size === 0) throw new Problem(400, 'empty_body', 'There is no event in the body.');
    if (this.events.length === 0) {
      const [first] = this.refused;
      if (!this.many && first) throw Problem.invalid(first.errors);
      throw new Problem(400, 'invalid', 'Every event was refused.', {
        accepted: 0,
        rejected: this.refused,
        ids: [],
      });
    }
    return { many: this.many, events: this.events, refused: this.refused };
  }

  private grow(): void {
    this.size++;
    if (this.size <= environment.EVENTS_LIMIT) return;
    const limit = environment.EVENTS_LIMIT.toLocaleString('en');
    throw new Problem(
      413,
      'too_many_events',
      `A request must not hold more than ${limit} events; send them in parts.`,
    );
  }
}

function isRefusal(result: NewEvent | FieldErrors): result is FieldErrors {
  return typeof result['id'] !== 'string';
}

function read(value: unknown): NewEvent | FieldErrors {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { event: ['Must be a JSON object.'] };
  const dto = CreateEventDto.from(value);
  for (const key in value) if (!CreateEventDto.isField(key)) return explain(dto, value);
  if (!dto.isValid()) return explain(dto, value);
  const texts = dto.session_id + dto.category + dto.name;
  if (texts.length * 3 > TEXTS_BYTES && Buffer.byteLength(texts) > TEXTS_BYTES) {
    return {
      session_id: [`session_id, category and name together must not exceed ${TEXTS_BYTES} bytes in UTF-8.`],
    };
  }
  return toNewEvent(dto);
}

/** Everything that is wrong with an event, by field. */
function explain(dto: CreateEventDto, value: object): FieldErrors {
  // Without a prototype, a field called __proto__ is a field like any other.
  const errors = Object.create(null) as FieldErrors;
  for (const key of Object.keys(value)) if (!CreateEventDto.isField(key)) errors[key] = ['Unknown field.'];
  for (const { property, value: flawed, constraints } of validateSync(dto)) {
    const path = flawed instanceof Flaw ? flawed.path : [];
    errors[[property, ...path].join('.')] = Object.values(constraints ?? {});
  }
  return errors;
}
