import { Injectable } from '@nestjs/common';
import type { Filter } from '../platform/filters/filter.js';
import { filterSql, SqlParameters } from '../platform/filters/filter-sql.js';
import type { StoredEventText } from '../platform/model/event.js';
import { readChunks } from '../platform/paging/bounded-slice.js';
import { isDescending } from '../platform/paging/keyset-query.js';
import type { Count, Slice, SliceRows } from '../platform/paging/page.js';
import { microsecondsOf, parseTimestamp, timestampAtMicroseconds } from '../platform/time/timestamp.js';
import { EventQuestions, type QuestionOptions } from './event-questions.js';

/** Which of the copied events. */
export interface CopiedEventsQuery {
  readonly filter: Filter;
  /** Canonical timestamps, both inclusive. */
  readonly after?: string;
  readonly before?: string;
}

/** Events of a range of time that are looked at to count those that match. With more in the range, the count is an estimate. */
const MAX_COUNTED_EVENTS = 1_000_000;

/** Timestamps that a statement names one by one, so that ClickHouse reads nothing between them. */
const MAX_NAMED_TIMES = 200;

/** ClickHouse compares the halves of a UUID in another order than PostgreSQL, and bytes in the same one. */
const ID = 'UUIDToNum(id)';

const FIELDS = 'id, application, session_id, category, name, data_text, timestamp';

type Row = Omit<StoredEventText, 'data'> & { readonly data_text: string };

/** Reads copied events as `EventsRepository` reads stored ones: in the same order, with the same texts. */
@Injectable()
export class CopiedEventsRepository {
  constructor(private readonly questions: EventQuestions) {}

  /**
   * Reads a slice of the matching events in their order; for a cursor to `previous`, in the opposite order. It ends early
   * if the events are large.
   * @throws ClickHouseUnavailableError, QuestionTooLargeError
   */
  find(
    query: CopiedEventsQuery,
    slice: Slice,
    options: QuestionOptions = {},
  ): Promise<SliceRows<StoredEventText>> {
    return readChunks({
      slice,
      cursorKey: ({ timestamp, id }) => ({ timestamp, id }),
      read: async (part, budget) => {
        const rows: StoredEventText[] = [];
        let bytes = 0;
        for (const event of await this.read(query, part, options)) {
          if (bytes >= budget) return { rows, bytes, hasNext: true };
          rows.push(event);
          bytes += Buffer.byteLength(event.data);
        }
        return { rows, bytes, hasNext: false };
      },
    });
  }

  /**
   * Counts the matching events: exactly if at most MAX_COUNTED_EVENTS lie in the range of time, and otherwise by the share of
   * the matching ones among so many.
   * @throws ClickHouseUnavailableError, QuestionTooLargeError
   */
  async count({ filter, after, before }: CopiedEventsQuery): Promise<Count> {
    const parameters = new SqlParameters();
    const range = rangeSql(after, before, parameters);
    const matching = filterSql(filter, parameters);
    const [[sample], [whole]] = await Promise.all([
      this.questions.query<{ matching: string; events: string }>(
        'count events',
        `SELECT countIf(${matching}) AS matching, count() AS events FROM events WHERE ${range}
         SETTINGS max_rows_to_read = ${MAX_COUNTED_EVENTS}, read_overflow_mode = 'break'`,
        parameters,
      ),
      this.questions.query<{ events: string }>(
        'count events',
        `SELECT count() AS events FROM events WHERE ${range}`,
        parameters,
      ),
    ]);
    const [found, looked, all] = [sample?.matching, sample?.events, whole?.events].map(Number);
    if (found === undefined || !looked || !all || looked >= all)
      return { count: found ?? 0, isEstimate: false };
    return { count: Math.round((found / looked) * all), isEstimate: true };
  }

  /**
   * Reads the events of a slice in two steps. ClickHouse stops early in the order of time alone, not in that of events with
   * the same time too; so the first statement, which reads no more columns than the filter needs, finds the timestamps of the
   * slice, and the second one sorts what has them.
   */
  private async read(
    query: CopiedEventsQuery,
    slice: Slice,
    options: QuestionOptions,
  ): Promise<StoredEventText[]> {
    const { offset = 0 } = slice;
    for (;;) {
      const times = await this.times(query, slice, options);
      const wanted = times.slice(offset);
      if (wanted.length === 0) return [];
      const skipped = times.slice(0, offset).filter((time) => time === wanted[0]).length;
      const events = await this.eventsAt(wanted, skipped, query, slice, options);
      // There are fewer if some were removed between the two statements.
      if (events.length >= wanted.length) return events;
    }
  }

  /** The timestamps of the events of a slice in their order, with those of the events before its offset. */
  private async times(query: CopiedEventsQuery, slice: Slice, options: QuestionOptions): Promise<string[]> {
    const parameters = new SqlParameters();
    const rows = await this.questions.query<{ timestamp: string }>(
      'find events',
      `SELECT timestamp FROM events
       WHERE ${conditionsSql(query, slice, parameters)}
       ORDER BY timestamp ${directionOf(slice)}
       LIMIT ${parameters.add(slice.limit + (slice.offset ?? 0), 'UInt32')}`,
      parameters,
      options,
    );
    return rows.map(({ timestamp }) => timestamp);
  }

  /**
   * The matching events with these timestamps, as many as the slice has. If the timestamps are fewer, events that have come
   * since with one of them take no other's place.
   * @param times at least one, in the order of the slice
   * @param skipped events to leave out, which have the first of these timestamps
   */
  private async eventsAt(
    times: readonly string[],
    skipped: number,
    query: CopiedEventsQuery,
    slice: Slice,
    options: QuestionOptions,
  ): Promise<StoredEventText[]> {
    const parameters = new SqlParameters();
    const direction = directionOf(slice);
    const rows = await this.questions.query<Row>(
      'list events',
      `SELECT ${FIELDS} FROM events
       WHERE ${timesSql(times, parameters)} AND ${conditionsSql(query, slice, parameters)}
       ORDER BY timestamp ${direction}, ${ID} ${direction}
       LIMIT ${parameters.add(slice.limit, 'UInt32')} OFFSET ${parameters.add(skipped, 'UInt32')}`,
      parameters,
      options,
    );
    return rows.map(({ data_text: data, timestamp, ...fields }) => ({
      ...fields,
      data,
      timestamp: timestampAtMicroseconds(BigInt(timestamp)).text,
    }));
  }
}

const directionOf = (slice: Slice): 'ASC' | 'DESC' => (isDescending(slice) ? 'DESC' : 'ASC');

/** The matching events beyond the cursor of a slice. */
function conditionsSql(
  { filter, after, before }: CopiedEventsQuery,
  slice: Slice,
  parameters: SqlParameters,
): string {
  const conditions = [rangeSql(after, before, parameters), filterSql(filter, parameters)];
  if (slice.cursor) {
    const operator = isDescending(slice) ? '<' : '>';
    const time = timeSql(slice.cursor.timestamp, parameters);
    const id = `UUIDToNum(${parameters.add(slice.cursor.id, 'UUID')})`;
    // The primary key serves the first of them.
    conditions.unshift(`timestamp ${operator}= ${time}`, `(timestamp != ${time} OR ${ID} ${operator} ${id})`);
  }
  return conditions.join(' AND ');
}

function rangeSql(after: string | undefined, before: string | undefined, parameters: SqlParameters): string {
  const ends = [];
  if (after !== undefined) ends.push(`timestamp >= ${timeSql(after, parameters)}`);
  if (before !== undefined) ends.push(`timestamp <= ${timeSql(before, parameters)}`);
  return ends.length === 0 ? '1' : ends.join(' AND ');
}

function timesSql(times: readonly string[], parameters: SqlParameters): string {
  const different = [...new Set(times)].map(BigInt);
  if (different.length <= MAX_NAMED_TIMES) return `timestamp IN ${parameters.add(different, 'Array(Int64)')}`;
  const [first, last] = [different[0], different.at(-1)].map((time) => parameters.add(time, 'Int64'));
  return `timestamp BETWEEN least(${first}, ${last}) AND greatest(${first}, ${last})`;
}

const timeSql = (time: string, parameters: SqlParameters): string =>
  parameters.add(String(microsecondsOf(parseTimestamp(time))), 'Int64');
