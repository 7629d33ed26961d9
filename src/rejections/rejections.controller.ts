import { Controller, Get, HttpCode, Param, ParseUUIDPipe, Post, Query } from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiOkResponse,
  ApiOperation,
  ApiProperty,
  ApiQuery,
  ApiTags,
} from '@nestjs/swagger';
import { Allow } from '../http/access.js';
import { ApiProblems } from '../http/api-problems.js';
import { OnlyParameters } from '../http/only-parameters.js';
import { Problem } from '../http/problem.js';
import type { Rejection } from './rejections.repository.js';
import { RejectionsService } from './rejections.service.js';

const PAGE_SIZE = 100;

class RejectionResponse {
  @ApiProperty({ format: 'uuid', description: "The event's id." })
  id: string;

  @ApiProperty({ example: 'not_storable' })
  code: string;

  @ApiProperty({ description: 'What PostgreSQL said.' })
  message: string;

  @ApiProperty({ type: 'object', additionalProperties: true, description: 'The event.' })
  event: unknown;

  @ApiProperty({ format: 'date-time' })
  rejected_at: string;
}

const uuid = new ParseUUIDPipe({ exceptionFactory: notFound });
const optionalUuid = new ParseUUIDPipe({ exceptionFactory: notFound, optional: true });

/** Events that were accepted and that PostgreSQL refused. */
@ApiTags('rejections')
@Controller('rejections')
export class RejectionsController {
  constructor(private readonly rejections: RejectionsService) {}

  @Get()
  @Allow('read')
  @OnlyParameters('after')
  @ApiOperation({
    summary: 'What was set aside',
    description: `Events that were accepted and that PostgreSQL refused, newest first, ${PAGE_SIZE} at a time.`,
  })
  @ApiQuery({ name: 'after', required: false, description: 'Goes on after the rejection with this id.' })
  @ApiOkResponse({ type: [RejectionResponse] })
  @ApiProblems(400, 404, 503)
  async list(@Query('after', optionalUuid) after?: string): Promise<RejectionResponse[]> {
    const rejections = await this.rejections.list(PAGE_SIZE, after);
    if (!rejections) throw notFound();
    return rejections.map(toResponse);
  }

  @Get(':id')
  @Allow('read')
  @OnlyParameters()
  @ApiOperation({ summary: 'One event that was set aside' })
  @ApiOkResponse({ type: RejectionResponse })
  @ApiProblems(400, 404, 503)
  async find(@Param('id', uuid) id: string): Promise<RejectionResponse> {
    const rejection = await this.rejections.find(id);
    if (!rejection) throw notFound();
    return toResponse(rejection);
  }

  @Post(':id/retry')
  @Allow('admin')
  @OnlyParameters()
  @HttpCode(202)
  @ApiOperation({
    summary: 'Try it again',
    description: 'Sends the event the same way once more; if it is refused again, it comes back.',
  })
  @ApiAcceptedResponse({ description: 'It is in the queue.' })
  @ApiProblems(400, 404, 503)
  async retry(@Param('id', uuid) id: string): Promise<{ id: string; status: 'queued' }> {
    if (!(await this.rejections.retry(id))) throw notFound();
    return { id, status: 'queued' };
  }
}

function notFound(): Problem {
  return new Problem(404, 'not_found', 'There is no such rejection.');
}

function toResponse({ id, code, message, event, rejected_at }: Rejection): RejectionResponse {
  return { id, code, message, event: JSON.parse(event), rejected_at };
}
