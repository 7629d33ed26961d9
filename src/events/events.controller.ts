import { Controller, Get, Headers, Param, Post, Query, Req, Res } from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiBody,
  ApiConsumes,
  ApiCreatedResponse,
  ApiExtraModels,
  ApiHeader,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiQuery,
  ApiTags,
  getSchemaPath,
} from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { environment } from '../platform/config/environment.js';
import { Allow } from '../auth/access.decorator.js';
import { ApiProblems } from '../platform/http/api-problems.js';
import { AllowedParameters } from '../platform/http/allowed-parameters.decorator.js';
import { preferredWait } from '../platform/http/prefer-header.js';
import { toPageResponse } from '../platform/paging/page-response.js';
import { queryPipe } from '../platform/paging/query.pipe.js';
import { CreateEventDto } from './dto/create-event.dto.js';
import { EXAMPLE, EXAMPLE_STORED } from './dto/example.js';
import { ListEventsDto } from './dto/list-events.dto.js';
import {
  EventPageResponse,
  EventResponse,
  QueuedBatchResponse,
  QueuedEventResponse,
} from './dto/responses.dto.js';
import { EventsPipe, SubmittedEvents } from './events.pipe.js';
import { type AcceptResult, EventsService } from './events.service.js';
import type { Submission } from './submission.js';

const STATUS: Record<AcceptResult['status'], number> = { queued: 202, created: 201, existing: 200 };

const oneOrMany = (one: typeof EventResponse | typeof QueuedEventResponse) => ({
  schema: { oneOf: [{ $ref: getSchemaPath(one) }, { $ref: getSchemaPath(QueuedBatchResponse) }] },
});

/** Accepts, lists and finds events. */
@ApiTags('events')
@ApiExtraModels(CreateEventDto, EventResponse, QueuedEventResponse, QueuedBatchResponse)
@Controller('events')
export class EventsController {
  constructor(private readonly events: EventsService) {}

  @Post()
  @Allow('ingest')
  @AllowedParameters('key')
  @ApiOperation({
    summary: 'Send events',
    description:
      `One event, an array of events, or NDJSON (an event a line): at most ${environment.EVENTS_LIMIT} events and ` +
      `${environment.BODY_LIMIT} bytes a request. The response comes when the events are durable in the queue. Each event is stored ` +
      'exactly once, however often it is sent. If some of many events are invalid, they are named and the others accepted.',
  })
  @ApiConsumes('application/json', 'application/x-ndjson')
  @ApiBody({
    schema: {
      oneOf: [
        { $ref: getSchemaPath(CreateEventDto) },
        { type: 'array', items: { $ref: getSchemaPath(CreateEventDto) }, maxItems: environment.EVENTS_LIMIT },
      ],
    },
    examples: {
      one: { summary: 'One event', value: EXAMPLE },
      many: {
        summary: 'Many events',
        value: [EXAMPLE, { ...EXAMPLE, category: 'form interaction', name: 'submit' }],
      },
    },
  })
  @ApiQuery({
    name: 'key',
    required: false,
    description: 'A key of scope `ingest`, for `navigator.sendBeacon`, which can set no header.',
  })
  @ApiHeader({
    name: 'Prefer',
    required: false,
    description: `\`wait=5\` waits up to 5 seconds (${environment.WAIT_LIMIT} at most) until the events are stored (RFC 7240).`,
  })
  @ApiAcceptedResponse({
    description: 'The events are durable in the queue.',
    headers: {
      Location: {
        description: 'Address of the event, once it is stored (for a single event).',
        schema: { type: 'string' },
      },
    },
    ...oneOrMany(QueuedEventResponse),
  })
  @ApiCreatedResponse({
    description: 'With `Prefer: wait`: the events are stored.',
    ...oneOrMany(EventResponse),
  })
  @ApiOkResponse({
    description: 'With `Prefer: wait`: the events were stored before.',
    ...oneOrMany(EventResponse),
  })
  @ApiProblems(400, 413, 415, 503)
  async create(
    @SubmittedEvents(EventsPipe) submission: Submission,
    @Headers('prefer') prefer: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<QueuedEventResponse | QueuedBatchResponse | EventResponse> {
    const { many, events, refused } = submission;
    const waitSeconds = preferredWait(prefer, environment.WAIT_LIMIT);
    const result = await this.events.accept(events, waitSeconds * 1000);
    reply.status(STATUS[result.status]);
    if (waitSeconds > 0) reply.header('preference-applied', `wait=${waitSeconds}`);
    const stored = result.status === 'queued' ? undefined : result.events;
    if (many) {
      const ids = events.map(({ id }) => id);
      return { accepted: events.length, rejected: refused, ids, ...(stored && { results: stored }) };
    }
    const id = events[0]?.id ?? '';
    reply.header('location', `/events/${id}/`);
    return stored?.[0] ?? { id, status: 'queued' };
  }

  @Get()
  @Allow('read')
  @ApiOperation({
    summary: 'List events',
    description:
      'Newest first by default. Every page costs the same; follow `next` and `previous`. The count is exact, except for a ' +
      'part of a session with more than 10,000 events, where it is an estimate.',
  })
  @ApiOkResponse({ type: EventPageResponse })
  @ApiProblems(400, 503)
  list(@Query(queryPipe) query: ListEventsDto, @Req() request: FastifyRequest): Promise<EventPageResponse> {
    return toPageResponse(request, this.events.list(query));
  }

  @Get(':id')
  @Allow('read')
  @AllowedParameters()
  @ApiOperation({ summary: 'One event' })
  @ApiParam({
    name: 'id',
    schema: { type: 'string', format: 'uuid', example: EXAMPLE_STORED.id },
    description: 'From the answer to sending it.',
  })
  @ApiOkResponse({ type: EventResponse })
  @ApiProblems(400, 404, 503)
  find(@Param('id') id: string): Promise<EventResponse> {
    return this.events.find(id);
  }
}
