import { Controller, Get, Query, Req, StreamableFile } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Allow } from '../../auth/access.decorator.js';
import { ApiProblems } from '../../platform/http/api-problems.js';
import { Problem } from '../../platform/http/problem.js';
import { queryPipe } from '../../platform/paging/query.pipe.js';
import { ExportQueryDto } from './dto/export-query.dto.js';
import { FILE_EXAMPLES } from './dto/examples.js';
import { ExportService, TooManyExportsError } from './export.service.js';
import { WRITERS } from './writers/writers.js';

/** Seconds after which an export may have ended. */
const RETRY_AFTER = 5;

/** Gives out events as files. */
@ApiTags('events')
@Controller('events/export')
export class ExportController {
  constructor(private readonly exports: ExportService) {}

  @Get()
  @Allow('read')
  @ApiOperation({
    summary: 'Export events',
    description:
      'All events that match, however many, as one file that begins at once. What was stored when the export began is in it ' +
      'exactly once. When something goes wrong in the middle the connection breaks off, so a file that ended in order is whole.\n\n' +
      '`ndjson`: a line an event, with just what an application sends, so that each can be sent again. `csv`: for spreadsheets ' +
      "(RFC 4180, UTF-8 with a byte order mark); a cell that begins with a blank, `=`, `+`, `-`, `@` or `'` begins with one `'` " +
      'more, so that none is run as a formula. `parquet`: typed columns, `timestamp` in microseconds UTC, `data` as JSON.',
  })
  @ApiOkResponse({
    description: 'The file. `Content-Disposition` names it.',
    headers: {
      'Content-Disposition': {
        schema: { type: 'string', example: 'attachment; filename="events-20261125T170000Z.csv"' },
      },
    },
    content: FILE_EXAMPLES,
  })
  @ApiProblems(400, 503)
  async export(
    @Query(queryPipe) query: ExportQueryDto,
    @Req() { raw: { socket } }: FastifyRequest,
  ): Promise<StreamableFile> {
    const gone = new AbortController();
    const leave = (): void => gone.abort();
    // Not the response: while it waits behind others on its connection, nobody tells it that this is closed.
    socket.once('close', leave);
    const format = query.format ?? 'ndjson';
    try {
      return new StreamableFile(await this.exports.open(query, gone.signal), {
        type: WRITERS[format].type,
        disposition: `attachment; filename="events-${stamp()}.${format}"`,
      });
    } catch (error) {
      if (!(error instanceof TooManyExportsError)) throw error;
      throw Problem.unavailable(
        'too_many_exports',
        'As many exports as may be are under way; try again when one has ended.',
        RETRY_AFTER,
      );
    } finally {
      // What is opened, Nest closes when the connection does.
      socket.off('close', leave);
    }
  }
}

/** The present, as it may stand in the name of a file: `20261125T170000Z`. */
function stamp(): string {
  return new Date().toISOString().replace(/[-:]|\.\d+/g, '');
}
