import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Allow } from '../auth/access.decorator.js';
import { ClickHouseQuestion } from '../auth/question.decorator.js';
import { filterPipe } from '../platform/filters/filter.pipe.js';
import { ApiFilters } from '../platform/filters/filtered.dto.js';
import { ApiProblems } from '../platform/http/api-problems.js';
import { PropertiesDto, PropertiesResponse } from './dto/properties.dto.js';
import { PropertiesService } from './properties.service.js';

/** Lists the properties of events. */
@ApiTags('questions')
@Controller('properties')
export class PropertiesController {
  constructor(private readonly properties: PropertiesService) {}

  @Get()
  @Allow('read', 'parameter')
  @ClickHouseQuestion()
  @ApiOperation({
    summary: 'Which properties events have',
    description:
      'The paths inside `data` of the matching events, with their types, how many events have them, and an example of each type. ' +
      'Exact. A null and an empty object are no values.',
  })
  @ApiFilters()
  @ApiOkResponse({ type: PropertiesResponse })
  @ApiProblems(400, 503)
  list(@Query(filterPipe) query: PropertiesDto): Promise<PropertiesResponse> {
    return this.properties.list(query);
  }
}
