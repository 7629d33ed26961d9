import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { Readable } from 'node:stream';
import { environment } from '../../platform/config/environment.js';
import { DatabaseUnavailableError } from '../../platform/database/database-errors.js';
import { EventsRepository } from '../events.repository.js';
import { toFilter } from '../events.service.js';
import type { ExportQueryDto } from './dto/export-query.dto.js';
import { type ExportedEvent, type ExportedEvents, WRITERS } from './writers/writers.js';
import { eventPages } from './event-pages.js';
import { StalledReaderError, withStallTimeout } from './stall-timeout.js';

/** As many exports as there may be are under way. */
export class TooManyExportsError extends Error {}

/**
 * Gives out any number of events as one file.
 *
 * They are read in pages, each by a short statement of its own that goes on where the one before ended. One long
 * statement, or a cursor, would keep a connection and a snapshot for as long as the slowest reader takes, and PostgreSQL
 * could clean up nothing meanwhile. Stored events never change and have a fixed order, so the pages together hold each
 * event that was stored when the export began exactly once; of those that are stored meanwhile they may hold some.
 */
@Injectable()
export class ExportService implements OnModuleDestroy {
  private readonly logger = new Logger('Exports');
  private readonly underWay = new Set<AbortController>();

  constructor(private readonly repository: EventsRepository) {}

  /**
   * Resolves once the first events have been read. Whatever goes wrong later destroys the stream.
   * @param gone says that nobody waits for it any more
   * @throws TooManyExportsError, DatabaseUnavailableError
   */
  async open(dto: ExportQueryDto, gone: AbortSignal): Promise<Readable> {
    if (this.underWay.size >= environment.EXPORTS_LIMIT) throw new TooManyExportsError();
    const ended = new AbortController();
    this.underWay.add(ended);
    ended.signal.addEventListener('abort', () => this.underWay.delete(ended));
    const end = (): void => ended.abort(new DatabaseUnavailableError());
    gone.addEventListener('abort', end);
    try {
      const newestFirst = (dto.ordering ?? '-timestamp') === '-timestamp';
      const pages = eventPages(this.repository, toFilter(dto), newestFirst, ended.signal);
      const first = await pages.next();
      return this.stream(dto, resumed(first, pages), ended);
    } catch (error) {
      end();
      throw error;
    }
  }

  /** Who reads it hears that it isn't whole. */
  onModuleDestroy(): void {
    for (const ended of this.underWay) ended.abort(new DatabaseUnavailableError());
  }

  private stream(dto: ExportQueryDto, events: ExportedEvents, ended: AbortController): Readable {
    const pieces = WRITERS[dto.format ?? 'ndjson'].write(events);
    const stream: Readable = Readable.from(
      withStallTimeout(pieces, environment.REQUEST_TIMEOUT, () => stream.destroy(new StalledReaderError())),
      { objectMode: false },
    );
    ended.signal.addEventListener('abort', () => stream.destroy());
    stream.once('error', (error) => this.logger.warn(`An export was cut off: ${error.message}`));
    stream.once('close', () => ended.abort());
    return stream;
  }
}

/** What is read already, and then the rest. */
async function* resumed(
  first: IteratorResult<ExportedEvent[]>,
  rest: AsyncGenerator<ExportedEvent[]>,
): ExportedEvents {
  if (first.done) return;
  yield first.value;
  yield* rest;
}
