import { Controller, Get, Query, Req, StreamableFile } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Allow } from '../../auth/access.decorator.js';
import { filterPipe } from '../../platform/filters/filter.pipe.js';
import { ApiFilters } from '../../platform/filters/filtered.dto.js';
import { ApiProblems } from '../../platform/http/api-problems.js';
import { engineFor } from '../event-search.js';
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
      'columns, `timestamp` in microseconds UTC, `data` as JSON.\n\n' +
      'With `columns`, a file has the chosen fields and values inside `data`. In CSV and Parquet a text stands as it is and ' +
      'any other value as JSON; NDJSON has the values themselves, and the paths as keys. An absent value and null are an ' +
      'empty cell, and null in NDJSON and Parquet.',
  })
  @ApiFilters()
  @ApiOkResponse({
    description: 'The file. `Content-Disposition` names it.',
    headers: {
      'Content-Disposition': {
        schema: { type: 'string', example: 'attachment; filename="events-20261125T170000Z.csv"' },
      },
    },
    content: FILE_EXAMPLES,
  })
  @ApiProblems(400, 422, 503)
  async export(
    @Query(filterPipe) query: ExportQueryDto,
    @Query() parameters: Readonly<Record<string, unknown>>,
    @Req() { caller, raw: { socket } }: FastifyRequest,
  ): Promise<StreamableFile> {
    const disconnected = new AbortController();
    const abort = (): void => disconnected.abort();
    socket.once('close', abort);
    try {
      const engine = engineFor(parameters);
      const { content, type, name } = await this.exports.open(query, engine, caller, disconnected.signal);
      return new StreamableFile(content, { type, disposition: `attachment; filename="${name}"` });
    } finally {
      // From here on, Nest destroys the stream when the connection closes.
      socket.off('close', abort);
    }
  }
}
