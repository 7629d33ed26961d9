import { Controller, Get, Header, Headers, Query, Req, StreamableFile } from '@nestjs/common';
import { ApiHeader, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Allow } from '../../auth/access.decorator.js';
import { ApiProblems } from '../../platform/http/api-problems.js';
import { Problem } from '../../platform/http/problem.js';
import { queryPipe } from '../../platform/paging/query.pipe.js';
import { canonicalRange } from '../../platform/time/timestamp.js';
import { StreamQueryDto } from './dto/stream-query.dto.js';
import { MAX_STREAM_EVENTS } from './redis-stream.js';
import { StreamService, MAX_SUBSCRIBERS, TooManySubscribersError } from './stream.service.js';

/** As The Eye gave it out; parts that are longer are none of its places. */
const PLACE = /^\d{1,15}-\d{1,15}$/;

/** Lets people watch what is stored. */
@ApiTags('events')
@Controller('events/stream')
export class StreamController {
  constructor(private readonly live: StreamService) {}

  @Get()
  @Allow('read')
  @ApiOperation({
    summary: 'Watch events as they are stored',
    description:
      'Server-sent events, within a second of being stored: `event: event`, its data as in the list. In a flood, and for ' +
      'a viewer who reads slower than events come, some are left out: `event: skipped` says how many, of whatever ' +
      'filter, or null where nobody knows. A heartbeat comes every five seconds, and not while Redis is away. ' +
      'Swagger UI shows nothing before the stream ends; use `curl -N`.',
  })
  @ApiHeader({
    name: 'Last-Event-ID',
    required: false,
    description:
      `Goes on after this one, as far as the newest ${MAX_STREAM_EVENTS.toLocaleString('en')} events reach; ` +
      'an `EventSource` does so itself.',
  })
  @ApiOkResponse({
    description: 'A stream without end.',
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
  async watch(
    @Query(queryPipe) filter: StreamQueryDto,
    @Headers('last-event-id') after: string | undefined,
    @Req() { caller }: FastifyRequest,
  ): Promise<StreamableFile> {
    if (after !== undefined && !PLACE.test(after))
      throw Problem.invalid({ 'Last-Event-ID': ['This is no id of an event of this stream.'] });
    try {
      const mayWatch = async (): Promise<boolean> => caller.isActive?.() ?? true;
      const stream = await this.live.subscribe({
        filter: { ...filter, ...canonicalRange(filter) },
        after,
        mayWatch,
      });
      return new StreamableFile(stream, { type: 'text/event-stream; charset=utf-8' });
    } catch (error) {
      if (!(error instanceof TooManySubscribersError)) throw error;
      const most = MAX_SUBSCRIBERS.toLocaleString('en');
      throw Problem.unavailable(
        'too_many_viewers',
        `This process has ${most} viewers, and takes no more.`,
        10,
      );
    }
  }
}
