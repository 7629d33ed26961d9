import { Injectable } from '@nestjs/common';
import { EventTypes } from '../../event-types/event-types.cache.js';
import { EventLimits } from '../../events/event-limits.js';
import { ArrivalTimes } from '../../dialects/arrival-times.js';
import { parseItemText, readTranslated } from '../../dialects/read-item.js';
import { dialectOf } from '../../dialects/registry.js';
import {
  contextOf,
  type ReadContext,
  readEventText,
  readOnceCompiled,
  type Verdict,
} from '../../events/event-reader.js';
import { Timeslice } from '../../platform/async/timeslice.js';
import { DomainError, type FieldErrors, NotFoundError } from '../../platform/errors/domain-error.js';
import type { ReadEvent } from '../../platform/model/event.js';
import { isTimeOrderedId } from '../../platform/model/time-ordered-id.js';
import { decodeCursor, encodeCursor } from '../../platform/paging/cursor.js';
import { metrics } from '../../platform/telemetry/metrics.js';
import { Producer } from '../../queue/producer.js';
import type { RetryManyDto } from '../dto/list-rejections.dto.js';
import { boundedErrors, type RejectionRow, eventTextOf } from '../rejection-row.js';
import { RejectionsRepository } from '../rejections.repository.js';
import { queryOf, toFilter } from '../rejections.service.js';

/** Rejections that one call retries at most. */
export const MAX_RETRIES = 1000;

/** Characters of events that are queued at once, so that Redis accepts them well within its deadline. */
const MAX_PART_LENGTH = 1024 * 1024;

/** The event was cut when it was recorded, or never read: nothing can be sent again. */
export class EventCutError extends DomainError {
  constructor() {
    super(
      'conflict',
      'event_cut',
      'The event was too large to be kept whole, or was not read, so it cannot be sent again.',
    );
  }
}

/** The event is refused again. */
export class StillRefusedError extends DomainError {
  constructor(errors: FieldErrors) {
    super('conflict', 'still_refused', 'The event is refused again; `errors` says why.', { errors });
  }
}

/** The result of one retry: the accepted event, or the errors for which it was refused again. */
type RetryResult = { event: ReadEvent } | { errors: FieldErrors };

/** The results of many retries. */
export interface RetrySummary {
  retried: number;
  accepted: number;
  refused: number;
  leftOut: number;
  /** The cursor of the matching rejections that were not retried yet, if there are any. */
  next: string | null;
}

/**
 * Sends refused events again, the same way as new ones. An accepted event leaves the rejections; a refused one stays, with
 * its current errors.
 */
@Injectable()
export class RetryService {
  constructor(
    private readonly eventTypes: EventTypes,
    private readonly producer: Producer,
    private readonly rejections: RejectionsRepository,
    private readonly limits: EventLimits,
    private readonly arrivals: ArrivalTimes,
  ) {}

  /**
   * Retries one rejection.
   * @param visible the only application whose events the caller sees; undefined if it sees all
   * @throws NotFoundError, EventCutError, StillRefusedError, UnavailableError, RedisUnavailableError, BacklogFullError,
   *   DatabaseUnavailableError
   */
  async retry(id: string, visible?: string): Promise<ReadEvent> {
    const row = isTimeOrderedId(id) ? await this.rejections.findById(id, visible) : undefined;
    if (!row) throw new NotFoundError('There is no such rejection.');
    if (!row.whole) throw new EventCutError();
    const [result] = (await this.send([row])) as [RetryResult];
    if ('errors' in result) throw new StillRefusedError(result.errors);
    return result.event;
  }

  /**
   * Retries the matching rejections, newest first, at most MAX_RETRIES. If it fails in the middle, some have been retried
   * and are no longer rejections.
   * @throws CursorError, UnavailableError, RedisUnavailableError, BacklogFullError, DatabaseUnavailableError
   */
  async retryMany(dto: RetryManyDto): Promise<RetrySummary> {
    const query = queryOf(dto);
    const cursor = dto.cursor === undefined ? undefined : decodeCursor(dto.cursor, query);
    const { rows: found, isCut } = await this.rejections.find(toFilter(dto), {
      newestFirst: true,
      limit: MAX_RETRIES + 1,
      cursor,
    });
    const rows = found.slice(0, MAX_RETRIES);
    const whole = rows.filter((row) => row.whole);
    let refused = 0;
    for (const part of splitByLength(whole))
      refused += (await this.send(part)).filter((result) => 'errors' in result).length;
    const last = isCut || found.length > MAX_RETRIES ? rows.at(-1) : undefined;
    return {
      retried: whole.length,
      accepted: whole.length - refused,
      refused,
      leftOut: rows.length - whole.length,
      next: last
        ? encodeCursor({ direction: 'next', timestamp: last.rejected_at, id: last.id }, query)
        : null,
    };
  }

  /** @returns the result of each row */
  private async send(rows: RejectionRow[]): Promise<RetryResult[]> {
    const results: RetryResult[] = [];
    const accepted: RejectionRow[] = [];
    const changed: RejectionRow[] = [];
    const slice = new Timeslice();
    const contexts = new Map<string, ReadContext>();
    for (const row of rows) {
      if (slice.isOver) await slice.next();
      const context = contexts.get(row.application) ?? contextOf(row.application, this.eventTypes);
      contexts.set(row.application, context);
      const verdict = await this.withinLimits(await this.read(row, context));
      if (verdict.outcome === 'accepted') {
        accepted.push(row);
        results.push({ event: verdict.event });
        continue;
      }
      const { code, errors } = verdict;
      const event = verdict.outcome === 'observed' ? verdict.event : undefined;
      changed.push({
        ...row,
        code,
        errors: boundedErrors(errors),
        // An event that was observed is stored, whatever this attempt finds.
        outcome: event || row.outcome === 'observed' ? 'observed' : 'refused',
        event_id: event?.id ?? row.event_id,
      });
      results.push(event ? { event } : { errors });
    }
    const events = results.flatMap((result) => ('event' in result ? [result.event] : []));
    // Queued first: after a crash in between, an event is in both places, never in none.
    if (events.length > 0) await this.producer.add(events.map(({ text }) => text));
    for (const { application } of events) metrics.acceptedOf(application, 1);
    if (accepted.length > 0) await this.rejections.remove(accepted);
    if (changed.length > 0) await this.rejections.update(changed);
    return results;
  }

  /** An event without a timestamp happened when it arrived. */
  private async read(row: RejectionRow, context: ReadContext): Promise<Verdict> {
    const dialect = row.dialect === null ? undefined : dialectOf(row.dialect);
    if (!dialect)
      return readOnceCompiled(context, () => readEventText(eventTextOf(row), context, row.rejected_at));
    const parsed = parseItemText(dialect, eventTextOf(row));
    if ('outcome' in parsed) return parsed;
    const arrivals = await this.arrivals.of(row.application, dialect.name, [parsed], row.rejected_at);
    const arrival = arrivals.get(parsed) ?? row.rejected_at;
    return readOnceCompiled(context, () => readTranslated(parsed, arrival, context));
  }

  private async withinLimits(verdict: Verdict): Promise<Verdict> {
    if (verdict.outcome === 'refused') return verdict;
    const { event } = verdict;
    const violation = (await this.limits.violations(event.application, [event])).get(event);
    return violation ? { outcome: 'refused', ...violation } : verdict;
  }
}

/** Splits rejections into parts of at most MAX_PART_LENGTH characters, or of a single rejection. */
function* splitByLength(rows: RejectionRow[]): Generator<RejectionRow[]> {
  let part: RejectionRow[] = [];
  let partLength = 0;
  for (const row of rows) {
    const length = row.event?.length ?? 0;
    if (part.length > 0 && partLength + length > MAX_PART_LENGTH) {
      yield part;
      part = [];
      partLength = 0;
    }
    part.push(row);
    partLength += length;
  }
  if (part.length > 0) yield part;
}
