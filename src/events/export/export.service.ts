import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { Readable } from 'node:stream';
import { Timeslice } from '../../platform/async/timeslice.js';
import { environment } from '../../platform/config/environment.js';
import { DatabaseUnavailableError } from '../../platform/database/database-errors.js';
import { UnavailableError } from '../../platform/errors/domain-error.js';
import type { StoredEventText } from '../../platform/model/event.js';
import { Bulkhead, BulkheadFullError, type Release } from '../../platform/questions/bulkhead.js';
import { type Asker, ClickHouseQuestions, Questions, shareFull } from '../../platform/questions/questions.js';
import { EventSearch, type SearchEngine } from '../event-search.js';
import { type Cell, cellsOf, type Column } from './columns.js';
import type { ExportQueryDto } from './dto/export-query.dto.js';
import { eventPages } from './event-pages.js';
import { StalledReaderError, withStallTimeout } from './stall-timeout.js';
import type { ExportedEvents } from './writers/exported-events.js';
import { type ExportFormat, WRITERS } from './writers/writers.js';

const RETRY_AFTER_SECONDS = 5;

/** Events of a page. ClickHouse reads thousands at once in any case. */
const MAX_PAGE_SIZE = 1000;
const MAX_COPIED_PAGE_SIZE = 10_000;

/** Exports that one key may run at once. */
const EXPORTS_PER_KEY = Math.max(1, Math.floor(environment.EXPORTS_LIMIT / 2));

/** EXPORTS_LIMIT exports are running already. */
export class TooManyExportsError extends UnavailableError {
  constructor() {
    super(
      'too_many_exports',
      `${environment.EXPORTS_LIMIT} exports are running, which is the limit; try again when one has ended.`,
      { retryAfterSeconds: RETRY_AFTER_SECONDS },
    );
  }
}

/** A file that is written while it is read. */
export interface ExportFile {
  readonly content: Readable;
  /** Media type. */
  readonly type: string;
  /** A name with the present time, such as `events-20261125T170000Z.csv`. */
  readonly name: string;
}

/**
 * Exports any number of events as one file.
 *
 * It reads them in pages, each with a short statement that continues where the one before ended. A single statement or a
 * cursor would hold a connection and a snapshot for as long as the slowest reader takes, and PostgreSQL could not vacuum
 * meanwhile. Stored events never change and have a fixed order, so the pages together hold each event that was stored
 * when the export began exactly once. Of the events stored later they may hold some. Before ClickHouse is asked, the export
 * waits until the copy has all events that are stored.
 */
@Injectable()
export class ExportService implements OnModuleDestroy {
  private readonly logger = new Logger('Exports');
  private readonly running = new Set<AbortController>();
  private readonly slots = new Bulkhead({
    slots: environment.EXPORTS_LIMIT,
    slotsPerKey: EXPORTS_PER_KEY,
    maxWaiting: 0,
    maxWaitingPerKey: 0,
    timeoutMs: 0,
  });

  constructor(
    private readonly search: EventSearch,
    private readonly questions: Questions,
    private readonly clickHouseQuestions: ClickHouseQuestions,
  ) {}

  /**
   * Resolves when the first page is read. A later failure destroys the stream.
   * @param engine that finds the events
   * @param signal aborts the export while the first page is read; afterwards, destroy the stream
   * @throws TooManyExportsError, DomainError `rate_limited` if the key runs its share already,
   *   DatabaseUnavailableError, ClickHouseUnavailableError, QuestionTooLargeError
   */
  async open(
    dto: ExportQueryDto,
    engine: SearchEngine,
    asker: Asker,
    signal: AbortSignal,
  ): Promise<ExportFile> {
    const release = await this.takeSlot(asker);
    const controller = new AbortController();
    this.running.add(controller);
    controller.signal.addEventListener('abort', () => {
      this.running.delete(controller);
      release();
    });
    const abort = (): void => controller.abort(new DatabaseUnavailableError());
    signal.addEventListener('abort', abort);
    const format = dto.format ?? 'ndjson';
    const { type, columns: defaultColumns } = WRITERS[format];
    try {
      const pages = this.pagesOf(dto, engine, asker, controller.signal);
      const columns = dto.columns ?? defaultColumns;
      const events = prepend(await pages.next(), pages);
      const content = this.write(format, columns, cellsOfPages(events, columns), controller);
      return { content, type, name: `events-${compactNow()}.${format}` };
    } catch (error) {
      abort();
      throw error;
    }
  }

  /** Cuts the running exports off, so that their readers notice that the files are incomplete. */
  onModuleDestroy(): void {
    for (const controller of this.running) controller.abort(new DatabaseUnavailableError());
  }

  private async *pagesOf(
    dto: ExportQueryDto,
    engine: SearchEngine,
    asker: Asker,
    signal: AbortSignal,
  ): AsyncGenerator<StoredEventText[]> {
    const { find, asOf } = await this.search.wholeSourceOf(dto, engine, signal);
    const isCopied = asOf !== undefined;
    const questions = isCopied ? this.clickHouseQuestions : this.questions;
    // A filter that matches few events may scan many rows for one page, hence the longer timeout.
    const timeoutMs = environment.REQUEST_TIMEOUT;
    yield* eventPages({
      newestFirst: (dto.ordering ?? '-timestamp') === '-timestamp',
      maxPageSize: isCopied ? MAX_COPIED_PAGE_SIZE : MAX_PAGE_SIZE,
      // Each page is a question of its own, so that other questions get their turns between two pages.
      find: (slice) =>
        questions.ask(asker, () => find(slice, { timeoutMs, signal }), {
          isHeavy: true,
          queueTimeoutMs: timeoutMs,
          signal,
        }),
    });
  }

  private async takeSlot({ keyId }: Asker): Promise<Release> {
    try {
      return await this.slots.enter({ key: keyId });
    } catch (error) {
      if (!(error instanceof BulkheadFullError)) throw error;
      if (error.reason === 'queue') throw new TooManyExportsError();
      throw shareFull(
        `This key runs ${EXPORTS_PER_KEY} exports, which is its share; try again when one has ended.`,
        { retryAfterSeconds: RETRY_AFTER_SECONDS },
      );
    }
  }

  private write(
    format: ExportFormat,
    columns: readonly Column[],
    pages: ExportedEvents,
    controller: AbortController,
  ): Readable {
    const chunks = WRITERS[format].write(pages, columns);
    const stream: Readable = Readable.from(
      withStallTimeout(chunks, environment.REQUEST_TIMEOUT, () => stream.destroy(new StalledReaderError())),
      { objectMode: false },
    );
    controller.signal.addEventListener('abort', () => stream.destroy());
    stream.once('error', (error) => this.logger.warn(`An export was cut off: ${error.message}`));
    stream.once('close', () => controller.abort());
    return stream;
  }
}

/** The first page, which is read already, and then the others. */
async function* prepend<Page>(
  first: IteratorResult<Page, void>,
  others: AsyncGenerator<Page>,
): AsyncGenerator<Page> {
  if (first.done) return;
  yield first.value;
  yield* others;
}

async function* cellsOfPages(
  pages: AsyncIterable<StoredEventText[]>,
  columns: readonly Column[],
): AsyncGenerator<Cell[][]> {
  const slice = new Timeslice();
  for await (const events of pages) {
    const rows: Cell[][] = [];
    for (const event of events) {
      if (slice.isOver) await slice.next();
      rows.push(cellsOf(event, columns));
    }
    yield rows;
  }
}

/** The present in the basic format of ISO 8601, which a file name may contain: `20261125T170000Z`. */
function compactNow(): string {
  return new Date().toISOString().replace(/[-:]|\.\d+/g, '');
}
