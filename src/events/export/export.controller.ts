import { Controller, Get, Query, Req, StreamableFile } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Allow } from '../../auth/access.decorator.js';
import { ApiProblems } from '../../platform/http/api-problems.js';
import { queryPipe } from '../../platform/paging/query.pipe.js';
import { FILE_EXAMPLES } from './dto/examples.js';
import { ExportQueryDto } from './dto/export-query.dto.js';
import { ExportService } from './export.service.js';

/** Exports events as files. */
@ApiTags('events')
@Controller('events/export')
export class ExportController {
  constructor(private readonly exports: ExportService) {}

  @Get()
  @Allow('read', 'parameter')
  @ApiOperation({
    summary: 'Export events',
    description:
      'All matching events, however many, as one file. The download begins at once. The file holds each event that was ' +
      'stored when the export began exactly once. When the export fails, the connection is closed without the end of ' +
      'the response, so a download that completed is whole.\n\n' +
      '`ndjson`: one line an event, with only the fields that an application sends, so that each line can be sent again. ' +
      '`csv`: for spreadsheets (RFC 4180, UTF-8 with a byte order mark). A cell that begins with white space, `=`, `+`, ' +
      "`-`, `@` or `'` gets one more `'` in front, so that a spreadsheet does not run it as a formula. `parquet`: typed " +
      'columns, `timestamp` in microseconds UTC, `data` as JSON.',
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
    @Req() { caller, raw: { socket } }: FastifyRequest,
  ): Promise<StreamableFile> {
    const disconnected = new AbortController();
    const abort = (): void => disconnected.abort();
    socket.once('close', abort);
    try {
      const { content, type, name } = await this.exports.open(query, caller, disconnected.signal);
      return new StreamableFile(content, { type, disposition: `attachment; filename="${name}"` });
    } finally {
      // From here on, Nest destroys the stream when the connection closes.
      socket.off('close', abort);
    }
  }
}
