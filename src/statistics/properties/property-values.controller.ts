import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Allow } from '../../auth/access.decorator.js';
import { ClickHouseQuestion } from '../../auth/question.decorator.js';
import { filterPipe } from '../../platform/filters/filter.pipe.js';
import { ApiFilters } from '../../platform/filters/filtered.dto.js';
import { ApiProblems } from '../../platform/http/api-problems.js';
import { PropertyValuesDto, PropertyValuesResponse } from './dto/property-values.dto.js';
import { PropertyValuesService } from './property-values.service.js';

/** Ranks the values of properties. */
@ApiTags('statistics')
@Controller('statistics/properties')
export class PropertyValuesController {
  constructor(private readonly values: PropertyValuesService) {}

  @Get()
  @Allow('read', 'parameter')
  @ClickHouseQuestion()
  @ApiOperation({
    summary: 'The largest values of a property',
    description:
      'By the number of matching events, with their sessions, their share, and the change against the period of the same length ' +
      'before. Exact. With a condition such as `data.path:begins=/shop` on the property itself, it suggests values. ' +
      'Lists, objects and null are not counted.',
  })
  @ApiFilters()
  @ApiOkResponse({ type: PropertyValuesResponse })
  @ApiProblems(400, 503)
  largest(@Query(filterPipe) query: PropertyValuesDto): Promise<PropertyValuesResponse> {
    return this.values.largest(query);
  }
}
