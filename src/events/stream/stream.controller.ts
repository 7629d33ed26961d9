import { Controller, Get, Header, Headers, Query, Req, StreamableFile } from '@nestjs/common';
import { ApiHeader, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Allow } from '../../auth/access.decorator.js';
import { InvalidParametersError } from '../../platform/errors/domain-error.js';
import { ApiProblems } from '../../platform/http/api-problems.js';
import { queryPipe } from '../../platform/paging/query.pipe.js';
import { StreamQueryDto } from './dto/stream-query.dto.js';
import { MAX_STREAM_EVENTS } from './redis-stream.js';
import { StreamService } from './stream.service.js';

/** The id of an entry of the stream. Redis would reject numbers of more than 64 bits. */
const ENTRY_ID = /^\d{1,15}-\d{1,15}$/;

/** Streams events as they are stored. */
@ApiTags('events')
@Controller('events/stream')
export class StreamController {
  constructor(private readonly stream: StreamService) {}

  @Get()
  @Allow('read', 'parameter')
  @ApiOperation({
    summary: 'Stream events as they are stored',
    description:
      'Server-sent events. Each event arrives within a second of being stored, as `event: event` with the same data as ' +
      'in the list. When more events arrive than are published, or than the subscriber reads, some are left out: ' +
      '`event: skipped` gives their number, whatever the filter, or null when the number is unknown. A heartbeat is ' +
      'sent every five seconds, except while Redis is away. Swagger UI shows nothing before the stream ends; use `curl -N`.',
  })
  @ApiHeader({
    name: 'Last-Event-ID',
    required: false,
    description:
      'Resumes after this event, if it is among the newest ' +
      `${MAX_STREAM_EVENTS.toLocaleString('en')}. An \`EventSource\` sends it when it reconnects.`,
  })
  @ApiOkResponse({
    description: 'A stream that does not end.',
    content: {
      'text/event-stream': {
        schema: { type: 'string' },
        example:
          'id: 1764085263000-0\nevent: event\ndata: {"id":"0176bd3b-005b-8f24-bbb0-895da75d7db3","application":"default",' +
          '"session_id":"a","category":"click","name":"pageview","data":{},"timestamp":"2021-01-01T09:15:29.243860Z"}\n\n' +
          'event: skipped\ndata: {"count":12}\n\n',
      },
    },
  })
  @ApiProblems(400, 503)
  @Header('cache-control', 'no-store')
  @Header('x-accel-buffering', 'no')
  async subscribe(
    @Query(queryPipe) filter: StreamQueryDto,
    @Headers('last-event-id') lastEventId: string | undefined,
    @Req() { caller }: FastifyRequest,
  ): Promise<StreamableFile> {
    if (lastEventId !== undefined && !ENTRY_ID.test(lastEventId))
      throw new InvalidParametersError({ 'Last-Event-ID': ['Must be the id of an event of this stream.'] });
    const isAuthorized = async (): Promise<boolean> => caller.isActive?.() ?? true;
    const stream = await this.stream.subscribe({ filter, lastEventId, isAuthorized }, caller.keyId);
    return new StreamableFile(stream, { type: 'text/event-stream; charset=utf-8' });
  }
}
