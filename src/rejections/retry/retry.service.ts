import { Injectable } from '@nestjs/common';
import { setImmediate as breathe } from 'node:timers/promises';
import { decodeCursor, encodeCursor } from '../../platform/paging/cursor.js';
import { Producer } from '../../queue/producer.js';
import type { RejectionFilterDto } from '../dto/list-rejections.dto.js';
import { boundedErrors, type RejectionRow, textOf } from '../rejection-row.js';
import { RejectionsRepository } from '../rejections.repository.js';
import { queryOf, toFilter } from '../rejections.service.js';
import type { NewEvent } from '../../platform/model/event.js';
import { EventsPipe, isRefusal, type Refusal } from '../../events/events.pipe.js';

/** Rejections that one call retries at the most. */
export const MAX_RETRIES = 1000;

/** Events that are checked before others get a turn. */
const TURN = 50;

/** Characters of events that go into the queue at once: what Redis takes well within its deadline. */
const PART = 1024 * 1024;

/** The event was cut when it was kept, or never read: there is nothing to send again. */
export class CutEventError extends Error {}

/** What became of one rejection. */
export type Retried = { event: NewEvent } | { refusal: Refusal };

/** What became of many. */
export interface RetriedMany {
  retried: number;
  accepted: number;
  refused: number;
  leftOut: number;
  /** The cursor of those that were not looked at, where there are any. */
  next: string | null;
}

/**
 * Sends what was refused the same way once more: what is accepted now leaves the rejections, and what is not stays, with
 * what is wrong with it now.
 */
@Injectable()
export class RetryService {
  constructor(
    private readonly pipe: EventsPipe,
    private readonly producer: Producer,
    private readonly rejections: RejectionsRepository,
  ) {}

  /**
   * @returns undefined where there is no such rejection
   * @throws CutEventError, RedisUnavailableError, BacklogFullError, DatabaseUnavailableError
   */
  async retry(id: string): Promise<Retried | undefined> {
    const row = await this.rejections.findById(id);
    if (!row) return undefined;
    if (!row.whole) throw new CutEventError();
    return (await this.send([row]))[0];
  }

  /**
   * Retries what matches, newest first, MOST_RETRIES at the most. Where it ends in an error, some may have been retried,
   * and those are rejections no more.
   * @throws CursorError, RedisUnavailableError, BacklogFullError, DatabaseUnavailableError
   */
  async retryMany(dto: RejectionFilterDto): Promise<RetriedMany> {
    const query = queryOf(dto);
    const cursor = dto.cursor === undefined ? undefined : decodeCursor(dto.cursor, query);
    const found = await this.rejections.find(toFilter(dto), {
      newestFirst: true,
      limit: MAX_RETRIES + 1,
      cursor,
    });
    const rows = found.slice(0, MAX_RETRIES);
    const whole = rows.filter((row) => row.whole);
    let refused = 0;
    for (const part of partsOf(whole)) {
      refused += (await this.send(part)).filter((each) => 'refusal' in each).length;
    }
    const last = found.length > MAX_RETRIES ? rows.at(-1) : undefined;
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

  /** What became of each row. */
  private async send(rows: RejectionRow[]): Promise<Retried[]> {
    const retried: Retried[] = [];
    const accepted: RejectionRow[] = [];
    const noted: RejectionRow[] = [];
    for (const [index, row] of rows.entries()) {
      if (index % TURN === TURN - 1) await breathe();
      const assessed = this.pipe.reconsider(textOf(row), row.application, row.rejected_at);
      if (!isRefusal(assessed)) {
        accepted.push(row);
        retried.push({ event: assessed });
        continue;
      }
      const { code, errors, event } = assessed;
      // What was stored in spite of what was noted is stored, whatever is found now.
      const outcome = event || row.outcome === 'observed' ? 'observed' : 'refused';
      noted.push({
        ...row,
        code,
        errors: boundedErrors(errors),
        outcome,
        event_id: event?.id ?? row.event_id,
      });
      retried.push(event ? { event } : { refusal: assessed });
    }
    const events = retried.flatMap((each) => ('event' in each ? [each.event] : []));
    // First into the queue: a crash in between leaves an event in both places, never in none.
    if (events.length > 0) await this.producer.add(events);
    if (accepted.length > 0) await this.rejections.remove(accepted);
    if (noted.length > 0) await this.rejections.update(noted);
    return retried;
  }
}

/** Rejections in parts that are not too large, one at least in each. */
function* partsOf(rows: RejectionRow[]): Generator<RejectionRow[]> {
  let part: RejectionRow[] = [];
  let size = 0;
  for (const row of rows) {
    const length = row.event?.length ?? 0;
    if (part.length > 0 && size + length > PART) {
      yield part;
      part = [];
      size = 0;
    }
    part.push(row);
    size += length;
  }
  if (part.length > 0) yield part;
}
