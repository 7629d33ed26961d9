import { Injectable } from '@nestjs/common';
import { ClickHouseUnavailableError } from '../platform/clickhouse/clickhouse-errors.js';
import type { Filter } from '../platform/filters/filter.js';
import { isCondition } from '../platform/filters/query-filter.js';
import type { EventFilter, StoredEventText } from '../platform/model/event.js';
import type { Count, Slice, SliceRows } from '../platform/paging/page.js';
import { CopiedEventsRepository, type CopiedEventsQuery } from '../questions/copied-events.repository.js';
import { EventQuestions, type QuestionOptions } from '../questions/event-questions.js';
import { EventsRepository } from './events.repository.js';

/** The events that a request asks for. */
export interface EventSelection extends EventFilter {
  /** All conditions but those on the timestamp: the fields, and the others. */
  readonly filter: Filter;
}

/** Where selected events are read. All sources have the same order, the same texts and the same cursors. */
export interface EventSource {
  readonly find: (slice: Slice, options?: QuestionOptions) => Promise<SliceRows<StoredEventText>>;
  readonly count: () => Promise<Count>;
  /** Every event that was stored until then is found; undefined if every event is that is stored. */
  readonly asOf?: string;
}

const NOTHING: EventSource = {
  find: () => Promise.resolve({ rows: [], isCut: false }),
  count: () => Promise.resolve({ count: 0, isEstimate: false }),
};

/** Who finds the selected events. `either`: PostgreSQL, at a higher cost, while ClickHouse is away. */
export type SearchEngine = 'postgresql' | 'clickhouse' | 'either';

/**
 * PostgreSQL has indexes for the events of a session, of a category and of an application, in the order of time. ClickHouse
 * answers everything else.
 * @param parameters of a request, which need not be valid
 */
export function engineFor(parameters: Readonly<Record<string, unknown>>): SearchEngine {
  if (Object.keys(parameters).some(isCondition)) return 'clickhouse';
  const { application, session_id, category, name } = parameters;
  if (session_id !== undefined) return 'postgresql';
  if (name !== undefined) return 'clickhouse';
  return application !== undefined && category !== undefined ? 'either' : 'postgresql';
}

/** Finds stored events by any conditions. */
@Injectable()
export class EventSearch {
  constructor(
    private readonly stored: EventsRepository,
    private readonly copied: CopiedEventsRepository,
    private readonly questions: EventQuestions,
  ) {}

  /** @throws ClickHouseUnavailableError, DatabaseUnavailableError */
  async sourceOf(selection: EventSelection, engine: SearchEngine): Promise<EventSource> {
    if (engine === 'postgresql') return this.storedEvents(selection);
    try {
      const asOf = await this.questions.asOf();
      return { asOf, ...(await this.copiedEvents(selection)) };
    } catch (error) {
      if (engine === 'either' && error instanceof ClickHouseUnavailableError)
        return this.storedEvents(selection);
      throw error;
    }
  }

  /**
   * Like `sourceOf()`, of all events that are stored now.
   * @throws ClickHouseUnavailableError, DatabaseUnavailableError
   */
  async wholeSourceOf(
    selection: EventSelection,
    engine: SearchEngine,
    signal: AbortSignal,
  ): Promise<EventSource> {
    const source = await this.sourceOf(selection, engine);
    if (source.asOf !== undefined) await this.questions.caughtUp(signal);
    return source;
  }

  private storedEvents(selection: EventSelection): EventSource {
    const filter = toFilter(selection);
    return {
      find: (slice, options) => this.stored.find(filter, slice, options),
      count: () => this.stored.count(filter),
    };
  }

  private async copiedEvents(selection: EventSelection): Promise<EventSource> {
    const { filter, session_id, timestamp_after: after, timestamp_before: before } = selection;
    let query: CopiedEventsQuery = { filter, after, before };
    if (session_id !== undefined) {
      // ClickHouse has the events in the order of time, and would look for those of a session among all.
      const span = await this.stored.spanOf(session_id);
      if (!span) return NOTHING;
      query = {
        filter,
        after: after === undefined || after < span.first ? span.first : after,
        before: before === undefined || before > span.last ? span.last : before,
      };
    }
    return {
      find: (slice, options) => this.copied.find(query, slice, options),
      count: () => this.copied.count(query),
    };
  }
}

/** The fields that a query names, without its other parameters. */
function toFilter({
  application,
  session_id,
  category,
  name,
  timestamp_after,
  timestamp_before,
}: EventFilter): EventFilter {
  return { application, session_id, category, name, timestamp_after, timestamp_before };
}

/** The conditions of a query in a fixed order, which cursors rely on. */
export function formatSelection(selection: EventSelection, engine: SearchEngine): unknown[] {
  const fields = toFilter(selection);
  return engine === 'clickhouse' ? [fields, sortedFilter(selection.filter)] : [fields];
}

/** All conditions must be met, so their order does not matter. */
function sortedFilter(filter: Filter): unknown {
  if (filter.kind !== 'all') return filter;
  return filter.filters.map((one) => JSON.stringify(sortedFilter(one))).sort();
}
