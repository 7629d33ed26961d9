import {
  createParamDecorator,
  type ExecutionContext,
  Inject,
  Injectable,
  type PipeTransform,
} from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { isUtf8 } from 'node:buffer';
import pLimit from 'p-limit';
import type { Caller } from '../auth/caller.js';
import type { RequestPoints } from '../auth/request-points.js';
import { EventTypes } from '../event-types/event-types.cache.js';
import { Timeslice } from '../platform/async/timeslice.js';
import { environment } from '../platform/config/environment.js';
import { DomainError, UnavailableError } from '../platform/errors/domain-error.js';
import { JsonBody, NdjsonBody } from '../platform/http/bodies.js';
import { emptyBody } from '../platform/http/http-errors.js';
import { JsonScanner, type ScannedValue } from '../platform/json/json-scanner.js';
import { RejectionsRecorder } from '../rejections/rejections.recorder.js';
import {
  contextOf,
  EVENT_BOUNDS,
  malformed,
  type ReadContext,
  readScannedEvent,
  refuse,
  type RefusedVerdict,
  refuseOversized,
  type Verdict,
} from './event-reader.js';
import { type Submission, SubmissionBuilder, tooManyEvents } from './submission.js';

/** Bytes of a body beyond which it is read one at a time. */
const LARGE_BODY_BYTES = 128 * 1024;

/** Milliseconds that a large body may wait for the others before it is refused unread. */
const LARGE_BODY_TIMEOUT_MS = 500;

/** Bytes of events that are parsed together. */
const MAX_RUN_BYTES = 16 * 1024;

/** The body of a request, and who sent it. */
export interface SubmittedBody {
  readonly body: unknown;
  readonly caller: Caller;
  /** Undefined if the caller has no quota. */
  readonly points?: RequestPoints | undefined;
}

/** Hands the body of a request and its caller to a pipe. */
export const SubmittedEvents = createParamDecorator(
  (_: unknown, context: ExecutionContext): SubmittedBody => {
    const { body, caller, points } = context.switchToHttp().getRequest<FastifyRequest>();
    return { body, caller, points };
  },
);

/**
 * Parses, validates and identifies the events of a request. An invalid event is named and recorded, and does not affect
 * the others. EventLimitsPipe, which may refuse more of them, records those that are observed.
 */
@Injectable()
export class EventsPipe implements PipeTransform<SubmittedBody, Promise<Submission>> {
  /** Large bodies are read one after the other: read side by side, all of them would be late. */
  private readonly largeBodies = pLimit(1);

  constructor(
    @Inject(EventTypes) private readonly eventTypes: Pick<EventTypes, 'check'>,
    @Inject(RejectionsRecorder) private readonly rejections: Pick<RejectionsRecorder, 'record'>,
  ) {}

  /**
   * @throws DomainError `invalid` if no event can be accepted, `too_large` beyond a limit of the request, `rate_limited`,
   *   and `unavailable` if too many large bodies arrive at once
   */
  async transform({ body, caller, points }: SubmittedBody): Promise<Submission> {
    if (!(body instanceof JsonBody || body instanceof NdjsonBody))
      throw emptyBody('The body is empty: send an event, an array of events, or NDJSON.');
    if (body.bytes.length <= LARGE_BODY_BYTES) return this.read(body, caller, points);
    const arrivedAt = performance.now();
    return this.largeBodies(() => {
      if (performance.now() - arrivedAt > LARGE_BODY_TIMEOUT_MS)
        throw new UnavailableError('busy', 'Too many large bodies arrived at once; nothing was accepted.');
      return this.read(body, caller, points);
    });
  }

  /** Finds all events before it reads one, so that a body beyond a limit costs no more than that. */
  private async read(
    body: JsonBody | NdjsonBody,
    { application }: Caller,
    points: RequestPoints | undefined,
  ): Promise<Submission> {
    const { bytes } = body;
    const isLines = body instanceof NdjsonBody;
    const slice = new Timeslice();
    const scanner = new JsonScanner(bytes, isLines, EVENT_BOUNDS, environment.EVENTS_LIMIT);
    while (scanner.advance()) if (slice.isOver) await slice.next();
    const { values, isMany, syntaxError } = scanner;
    if (scanner.hasTooMany) throw tooManyEvents();
    if (syntaxError !== undefined) {
      this.refuse(application, malformed(syntaxError), keptText(bytes, 0, bytes.length));
      throw new DomainError('invalid', 'malformed_json', syntaxError);
    }
    // Refused events count too, because reading them is the work.
    const pending = points?.take({ events: values.length });
    if (pending) await pending;
    const context = contextOf(application, this.eventTypes);
    const builder = new SubmissionBuilder(isMany);
    const mayBeInvalid = isLines && !isUtf8(bytes);
    let run: unknown[] = [];
    let runStart = 0;
    for (const [index, value] of values.entries()) {
      if (slice.isOver) await slice.next();
      const unread = unreadable(bytes, value, mayBeInvalid);
      if (unread) {
        const isJson = unread.code === 'too_large' || unread.code === 'too_deep';
        const text = keptText(bytes, value.start, value.end);
        builder.add(this.refuse(application, unread, isJson ? null : text, text));
        continue;
      }
      if (index >= runStart + run.length) {
        run = parseRun(bytes, values, index, isLines);
        runStart = index;
      }
      builder.add(this.evaluate(bytes, value, run[index - runStart], context));
    }
    return builder.build();
  }

  /** Reads an event, and records what is wrong with it. */
  private evaluate(bytes: Buffer, scanned: ScannedValue, value: unknown, context: ReadContext): Verdict {
    const text = (): string => bytes.toString('utf8', scanned.start, scanned.end);
    const verdict = readScannedEvent(scanned, text, value, context);
    return verdict.outcome === 'refused' ? this.refuse(context.application, verdict, value, text()) : verdict;
  }

  private refuse(
    application: string,
    verdict: RefusedVerdict,
    event: unknown,
    json?: string,
  ): RefusedVerdict {
    const { code, errors } = verdict;
    this.rejections.record({ application, code, errors, event, json, observed: false });
    return verdict;
  }
}

/** The verdict on a value that must not be parsed; undefined for one that may be. */
function unreadable(bytes: Buffer, value: ScannedValue, mayBeInvalid: boolean): RefusedVerdict | undefined {
  if (mayBeInvalid && !isUtf8(bytes.subarray(value.start, value.end)))
    return refuse('not_utf8', { event: ['The line is not valid UTF-8.'] });
  if (value.syntaxError !== undefined) return malformed(value.syntaxError);
  return value.exceeded === undefined ? undefined : refuseOversized(value, deepFieldOf(bytes, value));
}

/**
 * Parses the value at `from` and those that follow it in the same array, as far as they are readable and small: V8 parses
 * objects of the same shape faster together.
 */
function parseRun(bytes: Buffer, values: readonly ScannedValue[], from: number, isLines: boolean): unknown[] {
  const { start, end } = values[from] as ScannedValue;
  let runEnd = end;
  for (let next = from + 1; !isLines && next < values.length; next++) {
    const value = values[next] as ScannedValue;
    if (value.exceeded !== undefined || value.end - start > MAX_RUN_BYTES) break;
    runEnd = value.end;
  }
  return JSON.parse(`[${bytes.toString('utf8', start, runEnd)}]`) as unknown[];
}

/** As much of a text as a rejection keeps, and a little more if it is longer, so that it is known to be cut. */
function keptText(bytes: Buffer, start: number, end: number): string {
  return bytes.toString('utf8', start, Math.min(end, start + environment.REJECTION_EVENT_LIMIT + 4));
}

/** The field of an event that is nested too deep. A longer name than any that a response shows is cut. */
function deepFieldOf(bytes: Buffer, { deepField, end }: ScannedValue): string | undefined {
  if (deepField === undefined) return undefined;
  const text = bytes.toString('utf8', deepField, Math.min(end, deepField + 1024));
  const quoted = /^"(?:[^"\\]|\\u[\da-f]{4}|\\[^u])*/i.exec(text)?.[0] ?? '"';
  return JSON.parse(`${quoted}"`) as string;
}
