import { Inject, Injectable, type PipeTransform } from '@nestjs/common';
import { validateSync } from 'class-validator';
import { setImmediate as turn } from 'node:timers/promises';
import pLimit from 'p-limit';
import { environment } from '../platform/config/environment.js';
import { EventTypes } from '../event-types/event-types.cache.js';
import { JsonBody, NdjsonBody } from '../platform/http/bodies.js';
import type { Caller } from '../auth/caller.js';
import { type FieldErrors, Problem } from '../platform/http/problem.js';
import type { RejectionCode } from '../platform/model/rejection.js';
import { RejectionsRecorder } from '../rejections/rejections.recorder.js';
import { CreateEventDto, Flaw } from './dto/create-event.dto.js';
import { areTextsTooLong, TEXTS_BYTES } from '../platform/model/event-text.js';
import { elementTexts, findInexactness, type Inexactness } from '../platform/json/exact-json.js';
import { isJsonObject } from '../platform/json/json-object.js';
import { fieldsOf, type NewEvent, toNewEvent } from '../platform/model/event.js';

/**
 * Events of an array that are read in one turn of the event loop. In the next, others get their answers and Redis's answers
 * are heard, which came too late behind a few arrays of thousands.
 */
const AT_ONCE = 500;

/** Characters of a text past which it is read in a line with others of its kind. */
const LARGE = 128 * 1024;

/** Milliseconds for which one may wait in it. What is refused unread leaves time to answer others while they wait. */
const PATIENCE = 500;

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

/** Why an event is refused or, where it is accepted all the same, what was found. */
export interface Refusal {
  readonly code: RejectionCode;
  readonly errors: FieldErrors;
  /** The event, where it is accepted. */
  readonly event?: NewEvent;
}

/**
 * Reads, checks and identifies the events of a request. One that is bad is named, noted and spoils none of the others.
 */
@Injectable()
export class EventsPipe implements PipeTransform<unknown, Promise<Submission>> {
  /** One after the other: read side by side, all large ones would be ready at the same moment, and late. */
  private readonly line = pLimit(1);

  constructor(
    @Inject(EventTypes) private readonly eventTypes: Pick<EventTypes, 'check'>,
    @Inject(RejectionsRecorder) private readonly rejections: Pick<RejectionsRecorder, 'record'>,
  ) {}

  /**
   * @throws Problem 400 where nothing can be accepted, 413 past a limit of the whole request, 429 past the caller's, 503
   *   where too much came at once
   */
  async transform(body: unknown): Promise<Submission> {
    if (!(body instanceof NdjsonBody || body instanceof JsonBody))
      throw new Problem(
        400,
        'empty_body',
        'The body is empty: send an event, an array of events, or NDJSON.',
      );
    const collected = await this.read(body);
    // The first one was counted with the request. Refused ones count too: reading them is the work.
    if (collected.size > 1) await body.caller.quota?.take(collected.size - 1);
    return collected.submission();
  }

  private read(body: NdjsonBody | JsonBody): Promise<Collected> {
    if (body instanceof NdjsonBody) return this.readNdjson(body);
    if (body.text.length <= LARGE) return this.readJson(body);
    const came = performance.now();
    return this.line(() => {
      if (performance.now() - came > PATIENCE)
        throw Problem.unavailable('busy', 'Too many large bodies came at once; nothing was accepted.');
      return this.readJson(body);
    });
  }

  private async readJson({ text, caller }: JsonBody): Promise<Collected> {
    if (text.trim() === '')
      throw new Problem(400, 'empty_body', 'The body is empty: send an event or an array of events.');
    const value = this.parse(text, caller);
    const many = Array.isArray(value);
    if (many && value.length > environment.EVENTS_LIMIT) throw tooManyEvents();
    const collected = new Collected(many);
    const found = findInexactness(text, environment.DEPTH_LIMIT, many);
    // What JSON.parse has changed is noted as it was written.
    const texts = many && found.size > 0 ? elementTexts(text, found) : undefined;
    for (const [index, item] of (many ? (value as unknown[]) : [value]).entries()) {
      if (index > 0 && index % AT_ONCE === 0) await turn();
      collected.take(this.judge(item, found.get(index), caller, many ? texts?.get(index) : text));
    }
    return collected;
  }

  private async readNdjson({ lines, caller }: NdjsonBody): Promise<Collected> {
    const collected = new Collected(true);
    for await (const line of lines) {
      try {
        const value = this.parse(line, caller);
        const inexactness = findInexactness(line, environment.DEPTH_LIMIT, false).get(0);
        collected.take(this.judge(value, inexactness, caller, line));
      } catch (error) {
        if (!(error instanceof Problem) || error.code !== 'malformed_json') throw error;
        collected.take({ code: 'malformed_json', errors: { event: [error.detail] } });
      }
    }
    return collected;
  }

  /**
   * Looks once more at an event that was refused, by the rules of now, and takes no note of it.
   * @param text as it came
   * @param cameAt when it came, which is the time of an event without one: a canonical timestamp
   */
  reconsider(text: string, application: string, cameAt: string): NewEvent | Refusal {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      return malformed(error);
    }
    const inexactness = findInexactness(text, environment.DEPTH_LIMIT, false).get(0);
    return this.assess(timed(value, cameAt), inexactness, application);
  }

  /** @throws Problem 400 */
  private parse(text: string, { application }: Caller): unknown {
    try {
      return JSON.parse(text);
    } catch (error) {
      const { code, errors } = malformed(error);
      this.rejections.record({ application, code, errors, event: text, observed: false });
      throw new Problem(400, code, errors['event']?.[0] ?? '');
    }
  }

  /** The event, or why it is refused, of which note is taken. */
  private judge(
    value: unknown,
    inexactness: Inexactness | undefined,
    { application }: Caller,
    json: string | undefined,
  ): NewEvent | Refusal {
    const assessed = this.assess(value, inexactness, application);
    if (!isRefusal(assessed)) return assessed;
    const { code, errors, event } = assessed;
    if (event) {
      this.rejections.record({
        application,
        code,
        errors,
        event: fieldsOf(event),
        eventId: event.id,
        observed: true,
      });
      return event;
    }
    this.rejections.record({ application, code, errors, event: value, json, observed: false });
    return assessed;
  }

  private assess(
    value: unknown,
    inexactness: Inexactness | undefined,
    application: string,
  ): NewEvent | Refusal {
    const read: NewEvent | Refusal = inexactness
      ? {
          code: inexactness.code,
          errors: { [inexactness.path.join('.') || 'event']: [inexactness.reason] },
        }
      : readEvent(value, application);
    if (isRefusal(read)) return read;
    const objection = this.eventTypes.check(read.category, read.name, read.data);
    if (objection === undefined) return read;
    const { refused, code, errors } = objection;
    return refused ? { code, errors } : { code, errors, event: read };
  }
}

/** The events of one request, as they are read. */
class Collected {
  private readonly events: NewEvent[] = [];
  private readonly refused: RefusedEvent[] = [];
  size = 0;

  constructor(private readonly many: boolean) {}

  take(judged: NewEvent | Refusal): void {
    if (isRefusal(judged)) this.refused.push({ index: this.size, errors: judged.errors });
    else this.events.push(judged);
    this.size++;
    if (this.size > environment.EVENTS_LIMIT) throw tooManyEvents();
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
}

export function isRefusal(judged: NewEvent | Refusal): judged is Refusal {
  return 'errors' in judged;
}

function tooManyEvents(): Problem {
  const limit = environment.EVENTS_LIMIT.toLocaleString('en');
  return new Problem(
    413,
    'too_many_events',
    `A request must not hold more than ${limit} events; send them in parts.`,
  );
}

/** An event without a timestamp gets one; everything else is left as it is. */
function timed(value: unknown, timestamp: string): unknown {
  return isJsonObject(value) && !('timestamp' in value) ? { ...value, timestamp } : value;
}

function malformed(error: unknown): Refusal {
  return { code: 'malformed_json', errors: { event: [`Not valid JSON: ${(error as Error).message}.`] } };
}

function readEvent(value: unknown, application: string): NewEvent | Refusal {
  if (!isJsonObject(value)) return { code: 'wrong_type', errors: { event: ['Must be a JSON object.'] } };
  const dto = CreateEventDto.from(value);
  for (const key in value) if (!CreateEventDto.isField(key)) return explain(dto, value);
  if (!dto.isValid()) return explain(dto, value);
  const texts = dto.session_id + dto.category + dto.name;
  if (areTextsTooLong(texts)) {
    const message = `session_id, category and name together must not exceed ${TEXTS_BYTES} bytes in UTF-8.`;
    return { code: 'too_long', errors: { session_id: [message] } };
  }
  return toNewEvent(application, dto);
}

/** Everything that is wrong with an event, by field. */
function explain(dto: CreateEventDto, value: object): Refusal {
  // Without a prototype, a field called __proto__ is a field like any other.
  const errors = Object.create(null) as FieldErrors;
  for (const key of Object.keys(value)) if (!CreateEventDto.isField(key)) errors[key] = ['Unknown field.'];
  for (const { property, value: flawed, constraints } of validateSync(dto)) {
    const path = flawed instanceof Flaw ? flawed.path : [];
    errors[[property, ...path].join('.')] = Object.values(constraints ?? {});
  }
  return { code: dto.code ?? 'unknown_field', errors };
}
