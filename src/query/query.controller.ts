import { Body, Controller, Header, HttpCode, Post } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Allow, VisibleApplication } from '../auth/access.decorator.js';
import { ClickHouseQuestion } from '../auth/question.decorator.js';
import { AllowedParameters } from '../platform/http/allowed-parameters.decorator.js';
import { ApiProblems } from '../platform/http/api-problems.js';
import { JsonObjectPipe } from '../platform/http/json-object.pipe.js';
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
  @Header('Content-Type', 'application/json; charset=utf-8')
  @ApiOperation({
    summary: 'Ask in SQL',
    description:
      "Runs one SELECT in ClickHouse's SQL. Its only table is `events`, with the columns `id` (UUID), `application`, `session_id`, " +
      "`category`, `name` (String), `timestamp` (DateTime64(6, 'UTC')), `timestamp_micros` (Int64), `data` (JSON, e.g. `data.path`) " +
      'and `data_text` (String, the payload exactly as it was stored). A key of one application sees the events of that application only. ' +
      'Nothing can be changed, and nothing else can be read. An answer has at most 10,000 rows and 16 MiB.',
  })
  @ApiBody({ type: QueryDto })
  @ApiOkResponse({ type: QueryResponse })
  @ApiProblems(400, 413, 415)
  run(
    @Body(new JsonObjectPipe(QueryDto)) query: QueryDto,
    @VisibleApplication() visible: string | undefined,
  ): Promise<string> {
    return this.queries.run(query, visible);
  }
}
