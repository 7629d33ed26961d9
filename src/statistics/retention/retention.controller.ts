import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Allow, VisibleApplication } from '../../auth/access.decorator.js';
import { ClickHouseQuestion } from '../../auth/question.decorator.js';
import { AllowedParameters } from '../../platform/http/allowed-parameters.decorator.js';
import { ApiProblems } from '../../platform/http/api-problems.js';
import { JsonObjectPipe } from '../../platform/http/json-object.pipe.js';
import { MAX_COUNTS } from '../range-buckets.js';
import { RetentionDto, RetentionResponse } from './dto/retention.dto.js';
import { RetentionService } from './retention.service.js';

/** Counts who returns in later periods. */
@ApiTags('statistics')
@Controller('statistics/retention')
export class RetentionController {
  constructor(private readonly retention: RetentionService) {}

  @Post()
  @HttpCode(200)
  @Allow('read', 'handler')
  @ClickHouseQuestion()
  @AllowedParameters()
  @ApiOperation({
    summary: 'Count how many return in later periods',
    description:
      'Of those who did `start` in a period, how many did `return` in that period and in each of the next `periods`, within the ' +
      'range. Periods are days, weeks or months of the time zone. Exact. At most ' +
      `${MAX_COUNTS.toLocaleString('en')} counts. Sessions rarely last for days, so name users with \`by\`, e.g. \`data.user_id\`.`,
  })
  @ApiBody({ type: RetentionDto })
  @ApiOkResponse({ type: RetentionResponse })
  @ApiProblems(400, 413, 415, 422, 503)
  measure(
    @Body(new JsonObjectPipe(RetentionDto)) query: RetentionDto,
    @VisibleApplication() visible: string | undefined,
  ): Promise<RetentionResponse> {
    return this.retention.measure(query, visible);
  }
}
