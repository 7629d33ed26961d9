import {
  createParamDecorator,
  type ExecutionContext,
  Inject,
  Injectable,
  type PipeTransform,
} from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Caller } from '../auth/caller.js';
import type { RequestPoints } from '../auth/request-points.js';
import { EventTypes } from '../event-types/event-types.cache.js';
import { Timeslice } from '../platform/async/timeslice.js';
import { DomainError } from '../platform/errors/domain-error.js';
import { JsonBody, NdjsonBody } from '../platform/http/bodies.js';
import { emptyBody } from '../platform/http/http-errors.js';
import { growthOf } from '../platform/model/event.js';
import { keptText } from '../rejections/rejection-row.js';
import { RejectionsRecorder } from '../rejections/rejections.recorder.js';
import { type BodyValue, parseValues, scanBody } from './body-values.js';
import {
  contextOf,
  malformed,
  type ReadContext,
  readOnceCompiled,
  readScannedEvent,
  type RefusedVerdict,
  type Verdict,
} from './event-reader.js';
import { LargeBodies, type Turn } from './large-bodies.js';
import { type Submission, SubmissionBuilder } from './submission.js';

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
  constructor(
    @Inject(EventTypes) private readonly eventTypes: Pick<EventTypes, 'check'>,
    @Inject(RejectionsRecorder) private readonly rejections: Pick<RejectionsRecorder, 'record'>,
    private readonly largeBodies: LargeBodies,
  ) {}

  /**
   * @throws DomainError `invalid` if no event can be accepted, `too_large` beyond a limit of the request, `rate_limited`,
   *   and `unavailable` if too many large bodies arrive at once
   */
  async transform({ body, caller, points }: SubmittedBody): Promise<Submission> {
    if (!(body instanceof JsonBody || body instanceof NdjsonBody))
      throw emptyBody('The body is empty: send an event, an array of events, or NDJSON.');
    return this.largeBodies.inTurn({ bytes: body.bytes.length, application: caller.application }, (turn) =>
      this.read(body, caller, points, turn),
    );
  }

  private async read(
    body: JsonBody | NdjsonBody,
    { application }: Caller,
    points: RequestPoints | undefined,
    turn: Turn,
  ): Promise<Submission> {
    const { bytes } = body;
    const isLines = body instanceof NdjsonBody;
    const slice = new Timeslice();
    const { values, isMany } = await scanBody(bytes, isLines, slice).catch((error: unknown) => {
      if (error instanceof DomainError && error.code === 'malformed_json')
        this.refuse(application, malformed(error.message), keptText(bytes));
      throw error;
    });
    // Refused events count too, because reading them is the work.
    const pending = points?.take({ events: values.length });
    if (pending) await pending;
    const context = contextOf(application, this.eventTypes);
    const builder = new SubmissionBuilder(isMany);
    for (const value of parseValues(bytes, values, isLines)) {
      if (slice.isOver) await slice.next();
      const verdict = readOnceCompiled(context, () => this.evaluate(value, context));
      builder.add(verdict instanceof Promise ? await turn.pause(verdict) : verdict);
    }
    const submission = builder.build();
    const growth = growthOf(submission.events);
    if (growth > 0) await points?.take({ bytes: bytes.length + growth });
    return submission;
  }

  /** Reads an event, and records what is wrong with it. */
  private evaluate(found: BodyValue, context: ReadContext): Verdict {
    const { application } = context;
    if (found.unread) {
      const { code } = found.unread;
      const text = found.text();
      const isJson = code === 'too_large' || code === 'too_deep';
      return this.refuse(application, found.unread, isJson ? null : text, text);
    }
    const verdict = readScannedEvent(found.scanned, found.text, found.value, context);
    return verdict.outcome === 'refused'
      ? this.refuse(application, verdict, found.value, found.text())
      : verdict;
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
