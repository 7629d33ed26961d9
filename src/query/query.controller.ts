import { Body, Controller, HttpCode, Post, Res, StreamableFile } from '@nestjs/common';
import {
  ApiBody,
  ApiExtraModels,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
  getSchemaPath,
} from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Allow, VisibleApplication } from '../auth/access.decorator.js';
import { ClickHouseQuestion } from '../auth/question.decorator.js';
import { AllowedParameters } from '../platform/http/allowed-parameters.decorator.js';
import { ApiProblems } from '../platform/http/api-problems.js';
import { JsonObjectPipe } from '../platform/http/json-object.pipe.js';
import { MEDIA_TYPES, toFile, answerToJson } from './answer-formats.js';
import { QueryDto, QueryResponse } from './dto/query.dto.js';
import { QueryService } from './query.service.js';

/** Runs SQL of callers. */
@ApiTags('questions')
@Controller('query')
export class QueryController {
  constructor(private readonly queries: QueryService) {}

  @Post()
  @HttpCode(200)
  @Allow('read', 'handler')
  @ClickHouseQuestion()
  @AllowedParameters()
  @ApiOperation({
    summary: 'Ask in SQL',
    description:
      "Runs one SELECT in ClickHouse's SQL. Its only table is `events`, with the columns `id` (UUID), `application`, `session_id`, " +
      "`category`, `name` (String), `timestamp` (DateTime64(6, 'UTC')), `timestamp_micros` (Int64), `data` (JSON, e.g. `data.path`) " +
      'and `data_text` (String, the payload exactly as it was stored). A key of one application sees the events of that application only. ' +
      'Nothing can be changed, and nothing else can be read. An answer has at most 10,000 rows and 16 MiB.\n\n' +
      'With `format`, the answer is a file: `csv` as an export has it (RFC 4180, UTF-8 with a byte order mark, texts that a spreadsheet ' +
      "might run begin with `'`), or `ndjson` with an object a line. What else an answer says is in headers then.",
  })
  @ApiBody({ type: QueryDto })
  @ApiExtraModels(QueryResponse)
  @ApiOkResponse({
    content: {
      'application/json': { schema: { $ref: getSchemaPath(QueryResponse) } },
      'text/csv': { schema: { type: 'string' }, example: '\uFEFFpath,views\r\n/,120\r\n' },
      'application/x-ndjson': { schema: { type: 'string' }, example: '{"path":"/","views":120}\n' },
    },
    headers: {
      'X-As-Of': {
        description: 'In the formats `csv` and `ndjson`: `as_of`.',
        schema: { type: 'string', format: 'date-time' },
      },
      'X-Truncated': {
        description: 'In the formats `csv` and `ndjson`: `truncated`.',
        schema: { type: 'string', enum: ['true', 'false'] },
      },
    },
  })
  @ApiProblems(400, 413, 415)
  async run(
    @Body(new JsonObjectPipe(QueryDto)) query: QueryDto,
    @VisibleApplication() visible: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string | StreamableFile> {
    const { format } = query;
    const answer = await this.queries.run(query, visible);
    void reply.header('content-type', MEDIA_TYPES[format]);
    if (format === 'json') return answerToJson(answer);
    void reply.headers({ 'x-as-of': answer.as_of, 'x-truncated': String(answer.truncated) });
    return new StreamableFile(toFile(answer, format), {
      type: MEDIA_TYPES[format],
      disposition: `attachment; filename="query.${format}"`,
    });
  }
}
