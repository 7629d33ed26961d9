import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Allow, VisibleApplication } from '../../auth/access.decorator.js';
import { ClickHouseQuestion } from '../../auth/question.decorator.js';
import { AllowedParameters } from '../../platform/http/allowed-parameters.decorator.js';
import { ApiProblems } from '../../platform/http/api-problems.js';
import { JsonObjectPipe } from '../../platform/http/json-object.pipe.js';
import { PathsDto } from './dto/paths.dto.js';
import { PathsResponse } from './dto/paths-response.dto.js';
import { PathsService } from './paths.service.js';

/** Finds out what comes next after an event, or before it. */
@ApiTags('statistics')
@Controller('statistics/paths')
export class PathsController {
  constructor(private readonly paths: PathsService) {}

  @Post()
  @HttpCode(200)
  @Allow('read', 'handler')
  @ClickHouseQuestion()
  @AllowedParameters()
  @ApiOperation({
    summary: 'What comes next after an event, or before it',
    description:
      'The next events of each session after its first event of a step, or the last ones before it, as the nodes and links of a ' +
      'Sankey diagram. Events are in the order of their timestamps and ids, as in `GET /sessions/<session_id>/`, within the range. Exact.',
  })
  @ApiBody({ type: PathsDto })
  @ApiOkResponse({ type: PathsResponse })
  @ApiProblems(400, 413, 415, 422, 503)
  follow(
    @Body(new JsonObjectPipe(PathsDto)) query: PathsDto,
    @VisibleApplication() visible: string | undefined,
  ): Promise<PathsResponse> {
    return this.paths.follow(query, visible);
  }
}
