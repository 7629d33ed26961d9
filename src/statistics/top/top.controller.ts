import { Controller, Get, Query } from '@nestjs/common';
import { ApiExtraModels, ApiOkResponse, ApiOperation, ApiTags, getSchemaPath } from '@nestjs/swagger';
import { Allow } from '../../auth/access.decorator.js';
import { ClickHouseQuestion } from '../../auth/question.decorator.js';
import { filterPipe } from '../../platform/filters/filter.pipe.js';
import { ApiFilters } from '../../platform/filters/filtered.dto.js';
import { ApiProblems } from '../../platform/http/api-problems.js';
import { TopDto } from './dto/parameters.dto.js';
import { TopResponse, TopValuesResponse } from './dto/responses.dto.js';
import { TopService } from './top.service.js';

/** Ranks what events have in common. */
@ApiTags('statistics')
@Controller('statistics/top')
export class TopController {
  constructor(private readonly service: TopService) {}

  @Get()
  @Allow('read', 'parameter')
  @ClickHouseQuestion()
  @ApiOperation({
    summary: 'Rank applications, categories, names and types, or the values of a property',
    description:
      'By the number of matching events in the range. Exact. Dates are days in UTC. With `property`, the answer has the largest ' +
      'values of that property, with their sessions, their share, and the change against an earlier range. With a condition such ' +
      'as `data.path:begins=/shop` on the property itself, it suggests values. Lists, objects and null are not counted.',
  })
  @ApiFilters()
  @ApiExtraModels(TopResponse, TopValuesResponse)
  @ApiOkResponse({
    schema: { oneOf: [TopResponse, TopValuesResponse].map((model) => ({ $ref: getSchemaPath(model) })) },
  })
  @ApiProblems(400)
  top(@Query(filterPipe) query: TopDto): Promise<TopResponse | TopValuesResponse> {
    return this.service.top(query);
  }
}
