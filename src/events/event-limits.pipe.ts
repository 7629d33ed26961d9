import { Inject, Injectable, type PipeTransform } from '@nestjs/common';
import { fieldsOf, type NewEvent, type ReadEvent } from '../platform/model/event.js';
import { RejectionsRecorder } from '../rejections/rejections.recorder.js';
import type { Violation } from './event-reader.js';
import { EventLimits } from './event-limits.js';
import { type Submission, SubmissionBuilder } from './submission.js';

/**
 * Refuses the events of a request that exceed a limit of their application. Records them, and the others that are observed:
 * an event is recorded once.
 */
@Injectable()
export class EventLimitsPipe implements PipeTransform<Submission, Promise<Submission>> {
  constructor(
    @Inject(EventLimits) private readonly limits: Pick<EventLimits, 'violations'>,
    @Inject(RejectionsRecorder) private readonly rejections: Pick<RejectionsRecorder, 'record'>,
  ) {}

  /** @throws DomainError `invalid` if no event is left; RedisUnavailableError */
  async transform(submission: Submission): Promise<Submission> {
    const { events, observed } = submission;
    const application = (events[0] as NewEvent).application;
    const violations = await this.limits.violations(application, events);
    for (const { event, code, errors } of observed)
      if (!violations.has(event)) this.record(event, { code, errors }, true);
    for (const [event, violation] of violations) this.record(event, violation, false);
    return violations.size === 0 ? submission : withoutViolations(submission, violations);
  }

  private record(event: NewEvent, { code, errors }: Violation, observed: boolean): void {
    const { application, id } = event;
    this.rejections.record({ application, code, errors, event: fieldsOf(event), eventId: id, observed });
  }
}

/** @throws DomainError `invalid` if no event is left */
function withoutViolations(
  { many, events, refused }: Submission,
  violations: ReadonlyMap<NewEvent, Violation>,
): Submission {
  const builder = new SubmissionBuilder(many);
  const refusedAt = new Map(refused.map((event) => [event.index, event]));
  const accepted = events.values();
  for (let index = 0; index < events.length + refused.length; index++) {
    const before = refusedAt.get(index);
    // Its code was recorded when it was refused.
    if (before) {
      builder.add({ outcome: 'refused', code: 'wrong_type', errors: before.errors });
      continue;
    }
    const event = accepted.next().value as ReadEvent;
    const violation = violations.get(event);
    builder.add(violation ? { outcome: 'refused', ...violation } : { outcome: 'accepted', event });
  }
  return builder.build();
}
