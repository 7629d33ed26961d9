import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { Readable } from 'node:stream';
import { environment } from '../../platform/config/environment.js';
import { DatabaseUnavailableError } from '../../platform/database/database-errors.js';
import { UnavailableError } from '../../platform/errors/domain-error.js';
import type { StoredEventText } from '../../platform/model/event.js';
import type { Slice, SliceRows } from '../../platform/paging/page.js';
import { Bulkhead, BulkheadFullError, type Release } from '../../platform/questions/bulkhead.js';
import { type Asker, Questions, shareFull } from '../../platform/questions/questions.js';
import { EventsRepository } from '../events.repository.js';
import { toFilter } from '../events.service.js';
import type { ExportQueryDto } from './dto/export-query.dto.js';
import { eventPages } from './event-pages.js';
import { StalledReaderError, withStallTimeout } from './stall-timeout.js';
import type { ExportedEvent, ExportedEvents } from './writers/exported-event.js';
import { type ExportFormat, WRITERS } from './writers/writers.js';

const RETRY_AFTER_SECONDS = 5;

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
 * when the export began exactly once. Of the events stored later they may hold some.
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
    private readonly repository: EventsRepository,
    private readonly questions: Questions,
  ) {}

  /**
   * Resolves when the first page is read. A later failure destroys the stream.
   * @param signal aborts the export while the first page is read; afterwards, destroy the stream
   * @throws TooManyExportsError, DomainError `rate_limited` if the key runs its share already, DatabaseUnavailableError
   */
  async open(dto: ExportQueryDto, asker: Asker, signal: AbortSignal): Promise<ExportFile> {
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
    try {
      const newestFirst = (dto.ordering ?? '-timestamp') === '-timestamp';
      const filter = toFilter(dto);
      // A filter that matches few events may scan many rows for one page, hence the longer timeout.
      const options = { timeoutMs: environment.REQUEST_TIMEOUT, signal: controller.signal };
      // Each page is a question of its own, so that other questions get their turns between two pages.
      const find = (slice: Slice): Promise<SliceRows<StoredEventText>> =>
        this.questions.ask(asker, () => this.repository.find(filter, slice, options), {
          isHeavy: true,
          queueTimeoutMs: environment.REQUEST_TIMEOUT,
        });
      const pages = eventPages(find, newestFirst);
      const content = this.write(format, prepend(await pages.next(), pages), controller);
      return { content, type: WRITERS[format].type, name: `events-${compactNow()}.${format}` };
    } catch (error) {
      abort();
      throw error;
    }
  }

  /** Cuts the running exports off, so that their readers notice that the files are incomplete. */
  onModuleDestroy(): void {
    for (const controller of this.running) controller.abort(new DatabaseUnavailableError());
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

  private write(format: ExportFormat, pages: ExportedEvents, controller: AbortController): Readable {
    const chunks = WRITERS[format].write(pages);
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
async function* prepend(
  first: IteratorResult<ExportedEvent[]>,
  others: AsyncGenerator<ExportedEvent[]>,
): ExportedEvents {
  if (first.done) return;
  yield first.value;
  yield* others;
}

/** The present in the basic format of ISO 8601, which a file name may contain: `20261125T170000Z`. */
function compactNow(): string {
  return new Date().toISOString().replace(/[-:]|\.\d+/g, '');
}
