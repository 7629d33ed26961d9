import {
  createParamDecorator,
  type ExecutionContext,
  Inject,
  Injectable,
  type PipeTransform,
} from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import pLimit from 'p-limit';
import type { Caller } from '../auth/caller.js';
import { EventTypes } from '../event-types/event-types.cache.js';
import { yieldToEventLoop } from '../platform/async/yield-to-event-loop.js';
import { environment } from '../platform/config/environment.js';
import { DomainError, UnavailableError } from '../platform/errors/domain-error.js';
import { JsonBody, NdjsonBody } from '../platform/http/bodies.js';
import { elementTexts, findInexactness, type Inexactness } from '../platform/json/exact-json.js';
import { fieldsOf } from '../platform/model/event.js';
import { RejectionsRecorder } from '../rejections/rejections.recorder.js';
import {
  parseEventJson,
  type ReadContext,
  readEvent,
  type RefusedVerdict,
  type Verdict,
} from './event-reader.js';
import { emptyBody, type Submission, SubmissionBuilder, tooManyEvents } from './submission.js';

/** Events of an array that are read before other requests get a turn; otherwise replies of Redis would arrive late. */
const CHUNK_SIZE = 500;

/** Characters of a body beyond which it is read one at a time. */
const LARGE_BODY_LENGTH = 128 * 1024;

/** Milliseconds that a large body may wait for the others before it is refused unread. */
const LARGE_BODY_TIMEOUT_MS = 500;

/** The body of a request, and who sent it. */
export interface SubmittedBody {
  readonly body: unknown;
  readonly caller: Caller;
}

/** Hands the body of a request and its caller to a pipe. */
export const SubmittedEvents = createParamDecorator(
  (_: unknown, context: ExecutionContext): SubmittedBody => {
    const { body, caller } = context.switchToHttp().getRequest<FastifyRequest>();
    return { body, caller };
  },
);

/**
 * Parses, validates and identifies the events of a request. An invalid event is named and recorded, and does not affect
 * the others.
 */
@Injectable()
export class EventsPipe implements PipeTransform<SubmittedBody, Promise<Submission>> {
  /** Large bodies are read one after the other: read side by side, all of them would be late. */
  private readonly largeBodies = pLimit(1);
  private readonly checkType: EventTypes['check'];

  constructor(
    @Inject(EventTypes) eventTypes: Pick<EventTypes, 'check'>,
    @Inject(RejectionsRecorder) private readonly rejections: Pick<RejectionsRecorder, 'record'>,
  ) {
    this.checkType = (category, name, data) => eventTypes.check(category, name, data);
  }

  /**
   * @throws DomainError `invalid` if no event can be accepted, `too_large` beyond a limit of the request, `rate_limited`,
   *   and `unavailable` if too many large bodies arrive at once
   */
  async transform({ body, caller }: SubmittedBody): Promise<Submission> {
    const builder = await this.read(body, caller);
    // The quota was charged one event with the request. Refused events count too, because reading them is the work.
    if (builder.size > 1) await caller.quota?.take(builder.size - 1);
    return builder.build();
  }

  private read(body: unknown, { application }: Caller): Promise<SubmissionBuilder> {
    if (body instanceof NdjsonBody) return this.readNdjson(body.lines, application);
    if (!(body instanceof JsonBody))
      throw emptyBody('The body is empty: send an event, an array of events, or NDJSON.');
    const { text } = body;
    if (text.length <= LARGE_BODY_LENGTH) return this.readJson(text, application);
    const arrivedAt = performance.now();
    return this.largeBodies(() => {
      if (performance.now() - arrivedAt > LARGE_BODY_TIMEOUT_MS)
        throw new UnavailableError('busy', 'Too many large bodies arrived at once; nothing was accepted.');
      return this.readJson(text, application);
    });
  }

  private async readJson(text: string, application: string): Promise<SubmissionBuilder> {
    if (text.trim() === '') throw emptyBody('The body is empty: send an event or an array of events.');
    const parsed = parseEventJson(text);
    if ('outcome' in parsed) {
      this.record(application, parsed, text);
      throw new DomainError('invalid', parsed.code, parsed.errors['event']?.[0] ?? '');
    }
    const { value } = parsed;
    const many = Array.isArray(value);
    if (many && value.length > environment.EVENTS_LIMIT) throw tooManyEvents();
    const inexactness = findInexactness(text, environment.DEPTH_LIMIT, many);
    const items: unknown[] = many ? value : [value];
    // An element that JSON.parse has changed is recorded as it was sent.
    const texts = many && inexactness.size > 0 ? elementTexts(text, inexactness) : undefined;
    const context: ReadContext = { application, checkType: this.checkType };
    const builder = new SubmissionBuilder(many);
    for (const [index, item] of items.entries()) {
      if (index > 0 && index % CHUNK_SIZE === 0) await yieldToEventLoop();
      builder.add(this.evaluate(item, inexactness.get(index), context, many ? texts?.get(index) : text));
    }
    return builder;
  }

  private async readNdjson(lines: AsyncIterable<string>, application: string): Promise<SubmissionBuilder> {
    const builder = new SubmissionBuilder(true);
    const context: ReadContext = { application, checkType: this.checkType };
    for await (const line of lines) {
      const parsed = parseEventJson(line);
      if ('outcome' in parsed) {
        this.record(application, parsed, line);
        builder.add(parsed);
        continue;
      }
      const inexactness = findInexactness(line, environment.DEPTH_LIMIT, false).get(0);
      builder.add(this.evaluate(parsed.value, inexactness, context, line));
    }
    return builder;
  }

  /** Reads an event, and records what is wrong with it. */
  private evaluate(
    value: unknown,
    inexactness: Inexactness | undefined,
    context: ReadContext,
    json: string | undefined,
  ): Verdict {
    const verdict = readEvent(value, inexactness, context);
    if (verdict.outcome === 'observed')
      this.rejections.record({
        application: context.application,
        code: verdict.code,
        errors: verdict.errors,
        event: fieldsOf(verdict.event),
        eventId: verdict.event.id,
        observed: true,
      });
    else if (verdict.outcome === 'refused') this.record(context.application, verdict, value, json);
    return verdict;
  }

  private record(application: string, { code, errors }: RefusedVerdict, event: unknown, json?: string): void {
    this.rejections.record({ application, code, errors, event, json, observed: false });
  }
}
